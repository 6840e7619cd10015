"""The file of a journal, read and written so that a writer killed in the middle hurts nobody, and
a worker's steps in it, each one append.

Optuna's own `JournalFileBackend` appends behind whatever stands at the end. Behind half a record
the next one is glued to it, is lost, and from the record after it on nobody can read the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import get_lock_file

from tuner.errors import StorageError
from tuner.storage.backend import Backend
from tuner.storage.file_watch import cut, replaced
from tuner.storage.journal_lock import JournalLock
from tuner.storage.journal_repair import mend_tail, parse_record, sync

#: Bytes of a record's end by which a file is known again: they name the writer.
_END = 256
#: What `append_logs` is given inside `JournalFile.held_back`.
_held_back: ContextVar[list[dict[str, Any]] | None] = ContextVar("held back", default=None)


class JournalFile(JournalFileBackend):
    """Optuna's journal file whose readers stop before a torn record, and whose writers cut it off
    before they append (`mend_tail`). Nothing whole is ever cut."""

    def __init__(self, path: Path) -> None:
        """Makes the file if there is none; a lock is made by who appends alone."""
        # Absolute, so that the folder may be left.
        self._path = path.absolute()
        self._lock: JournalLock
        super().__init__(str(self._path), JournalLock(self._path))
        self._position = (0, 0)  # records read, their bytes
        self._end = b""  # the last of them

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Every whole record from that number on.

        Raises `StorageError` for a broken line that whole records follow, and if what was
        read before is not there any more.
        """
        number, offset = self._position if self._position[0] <= log_number_from else (0, 0)
        broken: int | None = None
        with self._path.open("rb") as file:
            # What is appended from now on is read next time: a line could be seen in parts.
            left = os.fstat(file.fileno()).st_size - offset
            if left < 0:
                raise StorageError(cut(self._path))
            if offset:
                # A file made anew may have the number of the one before.
                file.seek(offset - len(self._end))
                if file.read(len(self._end)) != self._end:
                    raise StorageError(replaced(self._path))
            for line in file:
                left -= len(line)
                if left < 0:
                    return
                record = parse_record(line)
                if broken is not None and record is not None:
                    raise StorageError(
                        f"a journal holds one record a line; {self._path} is no readable journal: "
                        f"its line {broken} is none, and whole records follow it. Available: "
                        f"tuner doctor --repair --storage journal:{self._path}"
                    )
                if record is None:
                    broken = broken or number + 1
                    continue
                number, offset = number + 1, offset + len(line)
                self._position, self._end = (number, offset), line[-_END:]
                if number > log_number_from:
                    yield record

    @contextmanager
    def held_back(self) -> Iterator[list[dict[str, Any]]]:
        """What this thread appends inside goes to the list instead."""
        logs: list[dict[str, Any]] = []
        token = _held_back.set(logs)
        try:
            yield logs
        finally:
            _held_back.reset(token)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append `logs` in one write, on disk when it returns. Raises OSError."""
        if (held_back := _held_back.get()) is not None:
            held_back += logs
            return
        if not logs:
            return
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with get_lock_file(self._lock):
            mend_tail(self._path)
            before = self._path.stat().st_size
            try:
                with self._path.open("ab") as file:
                    file.write(text.encode("utf-8"))
                    sync(file)
            except OSError:
                # A full disk takes a part. Who cannot cut it off now leaves it to the next writer.
                with suppress(OSError):
                    if self._lock.still_held:
                        os.truncate(self._path, before)
                raise


class JournalBackend(Backend):
    """A process that dies in the middle of a step leaves the records before the torn one (see
    `journal_repair`); what ends a step stands last among them."""

    def __init__(self, storage: JournalStorage) -> None:
        super().__init__(storage)
        self._journal = storage
        # Optuna reads it after creating a trial, and sets it only when that was read back.
        storage._replay_result._last_created_trial_id_by_this_process = -1

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Optuna's `JournalStorage` appends, and waits for the disk, once for every value; here
        what this thread writes inside is appended in one write at the end, and read on."""
        journal, lost = self._journal, None
        file: Any = journal._backend
        with file.held_back() as records:
            yield
        with journal._thread_lock:
            file.append_logs(records)
            # A record about a finished trial is void for every reader. Reading stops at every one
            # of ours, so it may take as many goes.
            for _ in range(len(records) + 1):
                try:
                    journal._sync_with_backend()
                    break
                except (UpdateFinishedTrialError, KeyError) as error:
                    lost = error
        if lost is not None:
            raise lost
