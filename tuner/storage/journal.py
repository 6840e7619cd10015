"""Optuna's journal: a file to which every step is appended, for machines that share a file system
and no server. Is every record whole, and its lock a living process's?"""

from __future__ import annotations

import os
import re
import time
import uuid
from pathlib import Path
from typing import Any, Self

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal._file import get_lock_file

from tuner.errors import StorageError
from tuner.storage import records
from tuner.storage.backend import Backend
from tuner.storage.check_result import Finding, Repair, WriteStep
from tuner.storage.clock import judge_clock, judge_file_clock
from tuner.storage.file_kind import FileKind, file_path, plain_path
from tuner.storage.journal_file import JournalBackend, JournalFile
from tuner.storage.journal_lock import GRACE, JournalLock, describe_holder, lock_path, read_holder
from tuner.storage.journal_repair import (
    JournalScan,
    is_journal,
    mend_lines,
    mend_tail,
    parse_record,
    scan_journal,
    sync,
)
from tuner.storage.kind import split_scheme
from tuner.storage.owner import is_gone
from tuner.text import listed, path_text, said, size_text, time_text

#: Seconds between two looks at a torn record: it may be one that is just being appended.
LOOK_AGAIN = 0.25
#: Seconds after which a repair gives up if a living process holds the lock.
PATIENCE = 10.0
#: Bytes at a journal's end among which its last heartbeat is looked for.
_TAIL = 1 << 16


class Journal(FileKind):
    FORMS = ("journal:PATH", "PATH.log")
    PREFIX = "journal:"

    @classmethod
    def read(cls, text: str) -> Self | None:
        scheme, rest = split_scheme(text)
        if not scheme and text.endswith(".log"):
            return cls(f"{cls.PREFIX}{plain_path(text, cls.PREFIX)}")
        if scheme != "journal" or not rest:
            return None
        return cls(f"{cls.PREFIX}{file_path(rest, cls.PREFIX)}")

    @property
    def here_alone(self) -> str | None:
        return None if self.named.is_absolute() else "a journal at a relative path"

    def _require_journal(self) -> None:
        """Raises `StorageError` if the file is something else."""
        if self.file.is_file() and not is_journal(self.file):
            raise StorageError(
                "a journal holds Optuna's records, one a line; "
                f"{path_text(self.file)} holds none and was left as it is. "
                "Available: --storage with another file"
            )

    def _open(self) -> BaseStorage:
        self._require_journal()
        try:
            return JournalStorage(JournalFile(self.file))
        except (AssertionError, AttributeError, LookupError, TypeError) as error:
            # Of Optuna's replaying: a record, but none that this Optuna knows.
            raise StorageError(
                f"a journal holds records that Optuna {optuna.__version__} can replay; "
                f"{path_text(self.file)} holds others ({type(error).__name__}: {said(error)}): "
                "a newer Optuna made them, or somebody else. It was left as it is. Available: "
                "pip install -U optuna, or --storage with another file"
            ) from error

    def steps(self, storage: Any) -> Backend:
        return JournalBackend(storage)

    def explain(self, error: Exception) -> str | None:
        if isinstance(error, ValueError):  # of Optuna's reading: a line that is no record
            return (
                f"the storage {self} is no readable journal: {error}. Available: another storage "
                "(--storage), or the file without its broken line"
            )
        return super().explain(error)

    def product(self) -> str:
        return "a journal"

    def check_file(self) -> list[Finding]:
        self._require_journal()
        return [self._check_records(), self._check_lock()]

    def _scan(self) -> JournalScan:
        """The journal as it is while nobody appends to it."""
        scan = scan_journal(self.file)
        if scan.torn:
            time.sleep(LOOK_AGAIN)
            scan = scan_journal(self.file)
        return scan

    def _check_records(self) -> Finding:
        path, scan = self.file, self._scan()
        if scan.broken:
            text = (
                f"a journal holds one record a line; line {listed(list(map(str, scan.broken)))} of "
                f"{path} is none although whole ones follow, and nothing behind it can be read: "
                "end all workers, then tuner doctor --repair takes it out and keeps it beside"
            )
            return Finding("journal", "error", text, blocks=True)
        if scan.torn:
            text = (
                f"a journal ends with a whole record; {path} has {size_text(scan.torn)} behind its "
                "last one (a writer died): tuner doctor --repair cuts it off and keeps it beside, "
                "and so does the next worker that writes"
            )
            return Finding("journal", "warning", text)
        kept = len(list(path.parent.glob(f"{path.name}.torn-*")))
        pieces = f"; {kept} torn pieces are kept beside and may be deleted" if kept else ""
        text = f"all {scan.records} records ({size_text(scan.size)}) are whole{pieces}"
        return Finding("journal", "ok", text)

    def _check_lock(self) -> Finding:
        lock = lock_path(self.file)
        if (holder := read_holder(lock)) is None:
            if not (left := self._leftovers()):
                return Finding("locks", "ok", f"nobody holds {lock.name}")
            text = (
                f"nobody holds {lock.name}; {listed([file.name for file in left])} was left by a "
                "process that died and does no harm: tuner doctor --repair removes it"
            )
            return Finding("locks", "warning", text)
        who, age = describe_holder(holder), age_of(lock)
        if is_gone(holder):
            text = (
                f"a lock is held by a living process; {lock} is held by {who}, which has ended: "
                "tuner doctor --repair removes it, and so does the next worker that writes"
            )
        elif age <= GRACE:
            return Finding("locks", "ok", f"{lock.name} is held by {who}, which writes right now")
        else:
            text = (
                f"a lock is held for one write, which takes milliseconds; {lock} has been held for "
                f"{time_text(age)} by {who}: whoever wants to write breaks it after {GRACE:.0f} s, "
                "and so does tuner doctor --repair unless that process lives on this machine (end "
                "it then)"
            )
        return Finding("locks", "warning", text)

    def _leftovers(self) -> list[Path]:
        """Files beside the journal that a process left which died while it broke a lock or
        repaired: ours, and those of Optuna's own locks. A living one needs them for a moment."""
        left = re.compile(
            re.escape(self.file.name) + r"((\.lock)?\.[0-9a-f]{32}|\.lock[0-9a-f-]{36}\.rename)"
        )
        return sorted(
            file
            for file in self.file.parent.iterdir()
            if left.fullmatch(file.name) and age_of(file) > GRACE
        )

    def check_clock(self, write: WriteStep | None) -> list[Finding]:
        """The clock of the file system, which stamped the journal's last write, against the clock
        of the worker that wrote it (its heartbeat is in the record), and against this machine's."""
        if write is not None and write.ahead is not None:
            return [judge_clock(write.ahead, 0.01, "the file system's clock")]
        with self.file.open("rb") as file:
            status = os.fstat(file.fileno())
            file.seek(max(0, status.st_size - _TAIL))
            found = [record for line in file if (record := parse_record(line)) is not None]
        # A result follows its heartbeat in the same write.
        beats = [record.get("system_attr", {}).get(records.HEARTBEAT) for record in found[:-3:-1]]
        beat = next(filter(None, beats), None)
        return [judge_file_clock(status.st_mtime, beat, time.time())]

    def time_write(self) -> WriteStep:
        """Writes a file beside the journal, under its lock, and removes it. Raises OSError."""
        path = self.file.absolute()
        beside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        began = time.perf_counter()
        with get_lock_file(JournalLock(path, PATIENCE)):
            try:
                with beside.open("xb") as file:
                    file.write(b"x")
                    sync(file)
                ahead = beside.stat().st_mtime - time.time()
            finally:
                beside.unlink(missing_ok=True)
        return WriteStep(time.perf_counter() - began, ahead)

    def repair_file(self) -> list[Repair]:
        """Cuts off a torn tail, takes broken lines out, removes the lock of a dead process and what
        it left, all under the journal's lock."""
        self._require_journal()
        path, scan, done = self.file.absolute(), self._scan(), []
        holder = read_holder(lock := lock_path(path))
        dead = holder is not None and is_gone(holder)
        stale = dead or age_of(lock) > GRACE
        if not (stale or scan.torn or scan.broken or self._leftovers()):
            return []
        with get_lock_file(JournalLock(path, PATIENCE)):
            if holder is not None and stale:
                why = "which has ended" if dead else f"unchanged for {GRACE:.0f} s"
                done.append(("locks", f"removed {lock.name} of {describe_holder(holder)}, {why}"))
            for file in self._leftovers():
                file.unlink(missing_ok=True)
                done.append(("locks", f"removed {file.name}, which a dead process had left"))
            if cut := mend_lines(path, scan_journal(path)):
                text = f"took {size_text(cut.cut)} of broken lines out of the journal{cut}"
                done.append(("journal", text))
            if cut := mend_tail(path):
                text = f"cut {size_text(cut.cut)} behind the journal's last whole record{cut}"
                done.append(("journal", text))
        return [Repair(check, text) for check, text in done]


def age_of(file: Path) -> float:
    """Seconds since a file was last written or renamed, by this machine's clock; 0 if it is
    gone."""
    try:
        status = file.lstat()
    except FileNotFoundError:
        return 0.0
    return time.time() - max(status.st_mtime, status.st_ctime)
