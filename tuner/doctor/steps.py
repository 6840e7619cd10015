"""How long a step in the storage takes: what a worker waits for, again and again."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.storage.opening import storage_errors
from tuner.storage.read_only import is_absent, require_file
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

#: Seconds above which a step slows a search down.
SLOW = 1.0


@dataclass(frozen=True)
class WriteStep:
    """`seconds` that a write took, until it was on disk; `ahead`: by how many seconds the file
    system's clock is ahead of this machine's, None where that was not seen."""

    seconds: float
    ahead: float | None = None


def time_read(storage: BaseStorage) -> float:
    """Seconds for the list of studies."""
    began = time.perf_counter()
    storage.get_all_studies()
    return time.perf_counter() - began


def time_write(url: str | None) -> WriteStep | None:
    """Write, but change nothing: a row of Optuna's own tables is set to what it is, a file beside
    a journal is written under its lock and removed. None where there is no storage or no table
    yet, and for a proxy, which has no such step. Raises `StorageError`."""
    default, url = url is None, storage_url(url)
    if default and is_absent(url):
        return None
    require_file(url)
    with storage_errors(url):
        return _time_write(url)


def _time_write(url: str) -> WriteStep | None:
    if (path := journal_path(url)) is not None:
        return _time_journal(path.absolute())
    if proxy_address(url) is not None:
        return None
    import sqlalchemy

    from tuner.storage.schema import has_schema
    from tuner.storage.server import engine_kwargs
    from tuner.storage.sqlite import BUSY_TIMEOUT, reading

    if (path := sqlite_path(url)) is not None:
        where = sqlalchemy.URL.create("sqlite+immediate", database=str(path))
        engine = sqlalchemy.create_engine(where, connect_args={"timeout": BUSY_TIMEOUT})
    else:
        engine = sqlalchemy.create_engine(with_driver(url), **engine_kwargs(with_driver(url)))
    try:
        with reading():  # connecting is no part of a step
            if not has_schema(engine, display_url(url)):
                return None
        began = time.perf_counter()
        with engine.begin() as connection:
            connection.execute(
                sqlalchemy.text("UPDATE alembic_version SET version_num = version_num")
            )
        return WriteStep(time.perf_counter() - began)
    finally:
        engine.dispose()


def _time_journal(path: Path) -> WriteStep:
    from tuner.storage.journal_lock import JournalLock

    lock, beside = JournalLock(path), path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    began = time.perf_counter()
    lock.acquire_to_repair()
    try:
        with beside.open("xb") as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
        stamped, now = beside.stat().st_mtime, time.time()
    finally:
        beside.unlink(missing_ok=True)
        lock.release()
    return WriteStep(time.perf_counter() - began, stamped - now)
