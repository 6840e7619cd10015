"""From a storage's URL to an Optuna storage that several processes can share."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.errors import StorageError
from tuner.storage.proxy import proxy_error
from tuner.storage.urls import (
    display_url,
    journal_path,
    proxy_address,
    sqlite_path,
    storage_url,
    with_driver,
)

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage


def open_storage(url: str | None, *, create: bool = True) -> BaseStorage:
    """The storage at `url` (None: `default_storage_url()`), as an Optuna storage.

    SQLite files and journals are made where they do not exist, folders included, unless `create`
    is false; the schema of a database is made once, however many processes open it at a time.

    Raises:
        UsageError: a URL of no known form, or a driver that is not installed.
        StorageError: it does not exist (`create=False`), cannot be reached or written, or has the
            schema of another Optuna. Nothing was changed.
    """
    from optuna.storages import JournalStorage
    from optuna.storages._cached_storage import _CachedStorage

    url = storage_url(url)
    path = sqlite_path(url) or journal_path(url)
    if path is not None and not path.exists() and not create:
        raise StorageError(f"there is no storage at {display_url(url)}: the file does not exist")
    with storage_errors(url):
        if (file := sqlite_path(url)) is not None:
            return _CachedStorage(_open_sqlite(file, display_url(url)))
        if (file := journal_path(url)) is not None:
            from tuner.storage.journal_file import JournalFile

            file.parent.mkdir(parents=True, exist_ok=True)
            _require_writable(file)
            return JournalStorage(JournalFile(file))
        if (address := proxy_address(url)) is not None:
            from tuner.storage.proxy import open_proxy

            return open_proxy(*address)
        from tuner.storage.server import open_server

        return _CachedStorage(open_server(with_driver(url), display_url(url)))
    raise AssertionError("unreachable")


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turns what a database, its driver or the file system raises into one `StorageError`."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError, sqlite3.Error, OSError) as error:
        raise StorageError(_explain(url, error)) from error
    except ValueError as error:
        if journal_path(url) is None:
            raise
        # JournalFileBackend: a line that is no JSON, or a torn one in the middle.
        raise StorageError(
            f"the storage {url} is no readable journal: {error}. Available: another storage "
            "(--storage), or the file without its broken line"
        ) from error
    except Exception as error:
        if proxy_error(error) is None:
            raise
        raise StorageError(_explain(url, error)) from error


def _explain(url: str, error: BaseException) -> str:
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    reason = str(getattr(cause, "orig", None) or cause).strip().splitlines()
    text = f"{type(cause).__name__}: {reason[0] if reason else 'no reason given'}"
    if (told := proxy_error(cause)) is not None:
        text = told[0]
    path = sqlite_path(url) or journal_path(url)
    if path is None:
        right = "host and port" if proxy_address(url) else "host, database, user and password"
        return (
            f"the storage {display_url(url)} cannot be reached or used ({text}). Is the server "
            f"up, and are {right} right? Available: another --storage"
        )
    if "not a database" in text:
        return f"a SQLite storage is a SQLite file; {path} is something else ({text})"
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    where = (
        f"the file {path} is not writable"
        if path.exists() and not os.access(path, os.W_OK)
        else f"the folder {folder} is not writable"
        if not os.access(folder, os.W_OK)
        else f"the folder is {folder}"
    )
    return (
        f"a storage must be a file that can be read and written; {path} cannot be used "
        f"({text}; {where}). Available: --storage URL or TUNER_STORAGE with another place"
    )


def _open_sqlite(path: Path, shown: str) -> RDBStorage:
    import sqlalchemy

    from tuner.storage.file_lock import file_lock
    from tuner.storage.schema import has_schema
    from tuner.storage.sqlite import SQLiteStorage, reading

    def ready() -> bool:
        if not path.exists() or path.stat().st_size == 0:
            return False
        engine = sqlalchemy.create_engine(f"sqlite+immediate:///{path}")
        try:
            with reading():
                return has_schema(engine, shown)
        finally:
            engine.dispose()

    if ready():
        _require_writable(path)
        return SQLiteStorage(path, ready=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(path.with_name(path.name + ".lock")):
        there = ready()
        if not there:
            # The mode is kept in the file: set once, here, where nobody else has it open.
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        return SQLiteStorage(path, ready=there)


def _require_writable(path: Path) -> None:
    """Raises PermissionError. SQLite itself would say so at the first trial only."""
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise PermissionError(f"no permission to write {place}")
