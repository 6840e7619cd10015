"""SQLite: a database in a file, for the processes of one machine. Write-ahead log, tables made
under a lock; how transactions begin is in `sqlite_locking`."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Self

from tuner.errors import StorageError, UsageError
from tuner.masking import MASK, display_url
from tuner.storage.check_result import Finding, WriteStep
from tuner.storage.database import Database
from tuner.storage.failures import first_line, is_io_error
from tuner.storage.file_kind import FileKind, file_path, plain_path
from tuner.storage.file_watch import try_writing
from tuner.storage.kind import split_scheme
from tuner.storage.rdb_reading import Look, Query
from tuner.text import listed, path_text, quoted

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: Seconds a writer waits for the lock before it gives up with "database is locked".
BUSY_TIMEOUT = 60.0


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock of `path` between processes (made if need be, never removed: removing a lock
    file lets two processes hold it). The system lets go of it when the file is closed, or its
    holder dies. Raises OSError."""
    with path.open("ab") as file:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of `path`; always False on Windows."""
    if sys.platform == "win32" or not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class SQLite(FileKind, Database):
    FORMS = ("sqlite:///PATH", "PATH.db")
    PREFIX = "sqlite:///"

    @classmethod
    def read(cls, text: str) -> Self | None:
        scheme, rest = split_scheme(text)
        if not scheme and text.endswith((".db", ".sqlite", ".sqlite3")):
            return cls(f"{cls.PREFIX}{plain_path(text, cls.PREFIX)}")
        if scheme != "sqlite":
            return None
        path = rest.removeprefix("///")
        if not rest.startswith("///") or path.strip("/") in ("", ":memory:"):
            raise UsageError(
                "a SQLite storage is a file, because its workers are processes of their own; "
                f"got {quoted(display_url(text))}. Available: {cls.FORMS[0]}"
            )
        if re.search(r"\?\w+=", path):
            name = path.split("?")[0]
            raise UsageError(
                "a SQLite storage is a file and takes no parameters; got "
                f"{quoted(f'{cls.PREFIX}{name}?{MASK}')}. Available: {cls.PREFIX}{name}"
            )
        return cls(f"{cls.PREFIX}{file_path(path, cls.PREFIX)}")

    @property
    def _lock(self) -> Path:
        return self.file.with_name(f"{self.file.name}.lock")

    @property
    def _log(self) -> Path:
        return self.file.with_name(f"{self.file.name}-wal")

    @property
    def here_alone(self) -> str:
        return "a SQLite file"

    def explain(self, error: Exception) -> str | None:
        if is_io_error(error):
            try:
                try_writing(self.file)
            except OSError as cause:
                error = cause
        return super().explain(error)

    def _unusable(self, reason: str) -> str:
        if "not a database" in reason:
            return f"a SQLite storage is a SQLite file; {self.file} is something else ({reason})"
        log = self._log
        if "unable to open" in reason and log.exists() and not os.access(log.parent, os.W_OK):
            return (
                f"a SQLite file whose last writer did not end is read together with {log.name}, "
                f"which takes a {self.file.name}-shm beside it; {log.parent} is not writable "
                f"({reason}). Available: a copy of both files in a folder that is"
            )
        return super()._unusable(reason)

    def _settings(self, *, read_only: bool) -> tuple[str, dict[str, Any]]:
        from sqlalchemy.pool import NullPool

        from tuner.storage.sqlite_locking import READING, WRITING

        settings: dict[str, Any] = {"plugins": [WRITING], "creator": self._connect}
        if read_only:
            # A connection a look: how it has to be made may change between two of them.
            creator = self._connect_read_only
            settings = {"plugins": [READING], "creator": creator, "poolclass": NullPool}
        # SQLAlchemy and Optuna see a meaning in ?, % and {} of a URL: the name is not told to them.
        return f"{self.PREFIX}file", settings

    @contextmanager
    def connect(self, *, read_only: bool = True) -> Iterator[Query]:
        opened = self._connect_read_only() if read_only else self._connect()
        with closing(opened) as connection:
            connection.isolation_level = None
            connection.execute("PRAGMA query_only=ON")
            connection.execute("BEGIN")  # so that all queries see one state

            def query(text: str, /, **values: Any) -> Sequence[Any]:
                return connection.execute(text, values).fetchall()

            yield query

    @property
    def _look(self) -> Look:
        return self.connect

    def _tables(self, query: Query) -> list[str]:
        return [name for (name,) in query("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def _connect(self, how: str = "mode=rw") -> sqlite3.Connection:
        """Makes no file: an empty one in place of one that was deleted would hide that.

        Nothing but SQLite may open the file, not even to look at it: POSIX drops all locks that a
        process has on a file when any descriptor of it is closed. SQLite puts its closing off;
        without the locks others take the log for nobody's and remove it.
        """
        uri = f"{self.file.absolute().as_uri()}?{how}"
        return sqlite3.connect(uri, BUSY_TIMEOUT, uri=True, check_same_thread=False)

    def _connect_read_only(self) -> sqlite3.Connection:
        """A connection that only reads, and leaves no file behind.

        A log that holds something belongs to somebody who writes, or died: it is read and stays.
        Else SQLite makes one for reading, and removes it if it may write. Where it cannot make one
        (no permission, no room), nobody else can: the file is read as one that does not change.
        """
        if self._log.exists() and self._log.stat().st_size:
            return self._connect("mode=ro")
        own = all(os.access(place, os.W_OK) for place in (self.file, self.file.parent))
        connection = self._connect("mode=rw" if own else "mode=ro")
        try:
            connection.execute("PRAGMA schema_version")
        except sqlite3.Error as error:
            connection.close()
            if not isinstance(error, sqlite3.OperationalError) or "locked" in str(error):
                raise
            return self._connect("mode=ro&immutable=1")
        return connection

    def _has_tables(self, *, read_only: bool = False) -> bool:
        size = self.file.stat().st_size if self.file.exists() else 0
        if size == 1:  # SQLite takes it for an empty one
            raise sqlite3.DatabaseError("file is not a database")
        if not size:
            return False
        return super()._has_tables(read_only=read_only)

    def _require_ours(self, tables: Sequence[str]) -> None:
        if "studies" in tables:
            return
        from optuna.storages._rdb import models

        others = sorted(set(tables) - {*models.BaseModel.metadata.tables, "alembic_version"})
        if others:
            raise StorageError(
                f"a SQLite storage holds Optuna's tables; {path_text(self.file)} holds others "
                f"({listed(others)}) and was left as it is. Available: --storage with another file"
            )

    def _making(self) -> AbstractContextManager[None]:
        return file_lock(self._lock)

    def _make_tables(self) -> None:
        # The mode is kept in the file: set once, here, where nobody else has it open.
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        super()._make_tables()

    def product(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    def check_file(self) -> list[Finding]:
        return [self._check_integrity(), self._check_lock()]

    def _check_integrity(self) -> Finding:
        try:
            with self.connect() as query:
                found = [row[0] for row in query("PRAGMA quick_check(5)")]
        except sqlite3.Error as error:
            found = [first_line(error)]
        if found == ["ok"]:
            return Finding("integrity", "ok", "SQLite's quick_check finds the file sound")
        return Finding(
            "integrity",
            "error",
            f"a SQLite file is sound; quick_check of {self.file} says: {listed(found, 3)}; save "
            "what can be read into a new file: "
            f"sqlite3 {self.file} .recover | sqlite3 recovered.db",
        )

    def _check_lock(self) -> Finding:
        """The lock under which the tables are made. The system lets go of it when its holder dies,
        so the file that it leaves is no stale lock, and removing it would let two processes in."""
        lock = self._lock
        if not is_locked(lock):
            return Finding("locks", "ok", f"nobody holds {lock.name}, under which tables are made")
        return Finding(
            "locks",
            "warning",
            f"tables are made within a second, under {lock}; a living process holds it now: if it "
            f"does so for long, end that process (fuser {lock}); the file may stay",
        )

    def check_clock(self, write: WriteStep | None) -> list[Finding]:
        return [
            Finding("time zone", "ok", "SQLite counts in UTC"),
            Finding("clock", "ok", "a SQLite file has the clock of its machine, this one"),
        ]
