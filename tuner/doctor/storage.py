"""Is the storage there, what is it, and has it the schema of this Optuna?"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.doctor.clock import check_journal_clock, check_server_clock, judge_clock
from tuner.doctor.finding import Finding
from tuner.doctor.steps import SLOW, WriteStep, time_read
from tuner.errors import StorageError
from tuner.storage.opening import storage_errors
from tuner.storage.read_only import open_read_only, read_only_engine
from tuner.storage.schema import has_schema
from tuner.storage.sqlite import reading
from tuner.storage.urls import display_url, journal_path, proxy_address, sqlite_path
from tuner.text import time_text

if TYPE_CHECKING:
    import sqlalchemy
    from optuna.storages import BaseStorage


@dataclass(frozen=True)
class Reached:
    """What came of opening the storage: None where it could not be, or has no tables yet."""

    storage: BaseStorage | None
    findings: list[Finding]
    reachable: bool


def reach(url: str, write: WriteStep | None) -> Reached:
    """Open the storage for reading and say what it is. `write`: a write step just taken."""
    found: list[Finding] = []
    try:
        kind = "a journal"
        if proxy_address(url) is not None:
            kind = "a gRPC proxy"
        elif journal_path(url) is None:
            kind, schema, clocks = _ask_database(url)
            found += [schema, *clocks]
            if schema.state == "error":
                return Reached(None, found, True)
        began = time.perf_counter()
        storage = open_read_only(url)
        opened = time.perf_counter() - began
        if storage is None:
            return Reached(None, [_reached(kind, url, opened, None, write), *found], True)
        with storage_errors(url):
            read = time_read(storage)
    except StorageError as error:
        return Reached(None, [Finding("storage", "error", str(error)), *found], False)
    if (path := journal_path(url)) is not None:
        ahead = None if write is None else write.ahead
        found.append(
            check_journal_clock(path)
            if ahead is None
            else judge_clock(ahead, 0.01, "the file system's clock")
        )
    return Reached(storage, [_reached(kind, url, opened, read, write), *found], True)


def _ask_database(url: str) -> tuple[str, Finding, list[Finding]]:
    """Kind and version, the schema, clock and time zone. Raises `StorageError`."""
    with storage_errors(url), reading():
        engine = read_only_engine(url)
        try:
            if sqlite_path(url) is not None:
                kind = f"SQLite {sqlite3.sqlite_version}"
                clocks = [
                    Finding("time zone", "ok", "SQLite counts in UTC"),
                    Finding("clock", "ok", "a SQLite file has the clock of its machine, this one"),
                ]
            else:
                kind, clocks = _version(engine), check_server_clock(engine)
            return kind, _check_schema(engine, display_url(url)), clocks
        finally:
            engine.dispose()


def _check_schema(engine: sqlalchemy.Engine, shown: str) -> Finding:
    import optuna

    try:
        there = has_schema(engine, shown)
    except StorageError as error:
        return Finding("schema", "error", str(error))
    if not there:
        return Finding(
            "schema", "ok", "there are no tables yet: the first tuner optimize makes them"
        )
    return Finding(
        "schema", "ok", f"the tables are those of the installed Optuna {optuna.__version__}"
    )


def _version(engine: sqlalchemy.Engine) -> str:
    import sqlalchemy

    with engine.connect() as connection:
        text = str(connection.execute(sqlalchemy.text("SELECT version()")).scalar_one())
    # PostgreSQL: "PostgreSQL 16.2 on x86_64-pc-linux-gnu, compiled by ..."; MySQL: "8.0.36".
    version = text.split(" on ")[0]
    return version if engine.dialect.name == "postgresql" else f"MySQL {version}"


def _reached(
    kind: str, url: str, opened: float, read: float | None, write: WriteStep | None
) -> Finding:
    steps = [] if read is None else [f"a read step takes {time_text(read)}"]
    steps += [] if write is None else [f"a write step takes {time_text(write.seconds)}"]
    text = "; ".join([f"{kind} at {display_url(url)}, opened in {time_text(opened)}", *steps])
    slowest = max(read or 0.0, 0.0 if write is None else write.seconds)
    if slowest <= SLOW:
        return Finding("storage", "ok", text)
    return Finding(
        "storage",
        "warning",
        f"a step takes less than {time_text(SLOW)}; {text}: is the network slow, or the machine "
        "overloaded? Workers wait for several steps a trial",
    )
