"""SQLite for several processes: write-ahead log, writers that queue, a schema made once.

Stock `RDBStorage` on SQLite begins a transaction at its first write. Two processes that read a
WAITING trial and then write RUNNING both succeed, and the trial runs twice. Here a writing
transaction takes the write lock before it reads (BEGIN IMMEDIATE), and waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna.storages import RDBStorage
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

#: Seconds a writer waits for the lock before it gives up with "database is locked".
BUSY_TIMEOUT = 60.0

_READERS = (
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_directions",
    "get_study_user_attrs",
    "get_study_system_attrs",
    "get_trial_user_attrs",
    "get_trial_system_attrs",
    "get_all_studies",
    "get_trial_param",
    "get_trial_id_from_study_id_trial_number",
    "get_trial",
    "get_all_trials",
    "get_best_trial",
    "_get_trials",
    "_get_best_trial_id",
    "_get_stale_trial_ids",
)


class _Mode(threading.local):
    reading = False


_mode = _Mode()


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside read only: they take no lock and wait for nobody."""
    before, _mode.reading = _mode.reading, True
    try:
        yield
    finally:
        _mode.reading = before


class ImmediateSQLite(SQLiteDialect_pysqlite):
    """SQLAlchemy's SQLite dialect with transactions that begin when they are begun."""

    driver = "immediate"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        import sqlite3

        return sqlite3

    def on_connect(self) -> Callable[[Any], None]:
        inherited = super().on_connect()

        def connect(connection: Any) -> None:
            inherited(connection)
            connection.isolation_level = None  # the driver begins nothing by itself
            # With a write-ahead log, NORMAL loses nothing when a process dies; a power cut may
            # take the last transactions, never the file.
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA foreign_keys=OFF")

        return connect

    def do_begin(self, dbapi_connection: Any) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute("BEGIN" if _mode.reading else "BEGIN IMMEDIATE")
        cursor.close()


registry.register("sqlite.immediate", __name__, "ImmediateSQLite")


class SQLiteStorage(RDBStorage):
    """`RDBStorage` over `ImmediateSQLite`; its reading methods begin reading transactions."""

    def __init__(self, path: Path, *, ready: bool) -> None:
        """`ready`: its tables are there, and are this Optuna's."""
        # Optuna looks at the schema through two connections at once: as writers they would wait
        # for each other. Whoever makes the schema holds the file lock (see `open_sqlite`).
        with reading():
            super().__init__(
                f"sqlite+immediate:///{path}",
                engine_kwargs={"connect_args": {"timeout": BUSY_TIMEOUT}},
                skip_table_creation=ready,
                skip_compatibility_check=ready,
            )

    def __setstate__(self, state: dict[Any, Any]) -> None:
        with reading():
            super().__setstate__(state)


def _reader(name: str) -> Callable[..., Any]:
    inherited = getattr(RDBStorage, name)

    def method(self: SQLiteStorage, *args: Any, **kwargs: Any) -> Any:
        with reading():
            return inherited(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = inherited.__doc__
    return method


for _name in _READERS:
    setattr(SQLiteStorage, _name, _reader(_name))
