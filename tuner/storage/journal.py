"""Optuna's journal: a file to which every step is appended, for machines that share a file system
and no server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from optuna.storages import BaseStorage, JournalStorage

from tuner.storage import journal_checks as checks
from tuner.storage.backend import Backend
from tuner.storage.clock import judge_clock
from tuner.storage.finding import Finding, Repair, WriteStep
from tuner.storage.journal_backend import JournalBackend
from tuner.storage.journal_file import JournalFile
from tuner.storage.kind import FileKind, split_scheme


class Journal(FileKind):
    FORMS = ("journal:PATH", "PATH.log")
    PREFIX = "journal:"

    @classmethod
    def read(cls, text: str) -> Self | None:
        scheme, rest = split_scheme(text)
        if not scheme and text.endswith(".log"):
            return cls(f"{cls.PREFIX}{text}")
        return cls(text) if scheme == "journal" and rest else None

    @property
    def here_alone(self) -> str | None:
        return None if self.file.is_absolute() else "a journal at a relative path"

    def _open(self) -> BaseStorage:
        self._prepare_file()
        return self._opened()

    def _opened(self) -> JournalStorage:
        return JournalStorage(JournalFile(self.file))

    @contextmanager
    def open_read_only(self) -> Iterator[BaseStorage | None]:
        self.require()
        with self.errors():
            yield self._opened()

    def steps(self, storage: Any) -> Backend:
        return JournalBackend(storage)

    def product(self) -> str:
        return "a journal"

    def check_file(self) -> list[Finding]:
        return [
            checks.check_journal(self.file, checks.look(self.file)),
            checks.check_lock(self.file),
        ]

    def check_clock(self, write: WriteStep | None) -> list[Finding]:
        if write is None or write.ahead is None:
            return [checks.check_file_clock(self.file)]
        return [judge_clock(write.ahead, 0.01, "the file system's clock")]

    def time_write(self) -> WriteStep:
        return checks.time_write(self.file.absolute())

    def repair_file(self) -> list[Repair]:
        return checks.repair_journal(self.file.absolute())

    def explain(self, error: Exception) -> str | None:
        if isinstance(error, ValueError):  # of Optuna's reading: a line that is no record
            return (
                f"the storage {self} is no readable journal: {error}. Available: another storage "
                "(--storage), or the file without its broken line"
            )
        return super().explain(error)
