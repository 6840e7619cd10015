"""A storage opened to be looked at: nothing in it is made, changed or left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy
from optuna.storages import JournalStorage, RDBStorage

from tuner.errors import StorageError
from tuner.storage.opening import open_storage, storage_errors
from tuner.storage.schema import has_schema
from tuner.storage.sqlite import BUSY_TIMEOUT, SQLiteStorage, reading
from tuner.storage.urls import (
    display_url,
    journal_path,
    proxy_address,
    sqlite_path,
    storage_url,
    with_driver,
)

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


class ReadOnlySQLite(SQLiteStorage):
    def __init__(self, path: Path) -> None:
        """`path` has Optuna's tables."""
        with reading():
            RDBStorage.__init__(
                self,
                sqlite_uri(path),
                engine_kwargs={"connect_args": {"timeout": BUSY_TIMEOUT}},
                skip_table_creation=True,
                skip_compatibility_check=True,
            )


def open_read_only(url: str) -> BaseStorage | None:
    """The storage at `url`, to be read; None where it has no tables yet.

    `close` it.

    Raises:
        UsageError: a URL of no known form, or a driver that is not installed.
        StorageError: it does not exist, cannot be reached or read, or has the schema of another
            Optuna.
    """
    from optuna.storages._cached_storage import _CachedStorage

    url = storage_url(url)
    require_file(url)
    with storage_errors(url):
        if (file := journal_path(url)) is not None:
            from tuner.storage.journal_file import JournalFile

            return JournalStorage(JournalFile(file))
        if proxy_address(url) is not None:
            return open_storage(url, create=False)
        engine = read_only_engine(url)
        try:
            with reading():
                if not has_schema(engine, display_url(url)):
                    return None
        finally:
            engine.dispose()
        if (file := sqlite_path(url)) is not None:
            return _CachedStorage(ReadOnlySQLite(file))
        full = with_driver(url)
        return _CachedStorage(
            RDBStorage(
                full,
                engine_kwargs=_server_kwargs(full),
                skip_table_creation=True,
                skip_compatibility_check=True,
            )
        )


def close(storage: BaseStorage) -> None:
    """Let go of a database's connections, so that nothing of ours stays open."""
    engine = getattr(getattr(storage, "_backend", None), "engine", None)
    if engine is not None:
        engine.dispose()


def is_absent(url: str) -> bool:
    """Whether the storage is a file that does not exist."""
    path = sqlite_path(url) or journal_path(url)
    return path is not None and not path.is_file()


def require_file(url: str) -> None:
    """Raises `StorageError` where the storage is a file that does not exist."""
    if is_absent(url):
        raise StorageError(f"there is no storage at {display_url(url)}: the file does not exist")


def read_only_engine(url: str) -> sqlalchemy.Engine:
    """Connections to a database, SQLite or server, that write nothing. SQLite's have to be used
    inside `reading()`."""
    if (file := sqlite_path(url)) is not None:
        return sqlalchemy.create_engine(sqlite_uri(file))
    full = with_driver(url)
    return sqlalchemy.create_engine(full, **_server_kwargs(full))


def sqlite_uri(path: Path) -> str:
    """The URL of a SQLite file for connections that only read.

    A reader of a write-ahead log leaves files of its own beside a database that nobody else has
    open, unless it is told that the file is immutable. Where somebody has it open, or died with
    it open, the log is there and has to be read.
    """
    alone = is_wal(path) and not path.with_name(path.name + "-wal").exists()
    query = {"mode": "ro", "uri": "true"} | ({"immutable": "1"} if alone else {})
    database = path.absolute().as_uri()
    url = sqlalchemy.URL.create("sqlite+immediate", database=database, query=query)
    return url.render_as_string(hide_password=False)


def is_wal(path: Path) -> bool:
    """Whether the SQLite file keeps a write-ahead log. Raises OSError."""
    with path.open("rb") as file:
        return file.read(20)[18:19] == b"\x02"


def _server_kwargs(url: str) -> dict[str, object]:
    from tuner.storage.server import engine_kwargs

    kwargs = engine_kwargs(url)
    if sqlalchemy.make_url(url).get_backend_name() == "postgresql":
        kwargs["connect_args"]["options"] += " -c default_transaction_read_only=on"
    return kwargs
