"""Which errors pass, and how long they are waited for."""

from __future__ import annotations

import errno
import sqlite3
import time
from typing import Any

import grpc
import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from tuner.errors import StorageError
from tuner.storage import retry, storage_at
from tuner.storage.failures import is_full
from tuner.storage.retry import Retry, is_transient


def wrapped(error):
    """As Optuna raises it."""
    try:
        raise StorageInternalError("An exception is raised during the commit.") from error
    except StorageInternalError as outer:
        return outer


class RpcAnswer(grpc.RpcError):
    """As a gRPC channel raises it."""

    def __init__(self, code, details=""):
        self.code = lambda: grpc.StatusCode[code]
        self.details = lambda: details


LOCKED = OperationalError("s", {}, sqlite3.OperationalError("database is locked"))


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (LOCKED, True),
        (wrapped(LOCKED), True),
        (OperationalError("s", {}, sqlite3.OperationalError("no such table: trials")), False),
        (OperationalError("s", {}, Exception("server closed the connection")), True),
        (InterfaceError("s", {}, Exception("connection already closed")), True),
        (DBAPIError("s", {}, Exception("x"), connection_invalidated=True), True),
        (wrapped(IntegrityError("s", {}, Exception("duplicate key"))), False),
        (RpcAnswer("UNAVAILABLE", "connection refused"), True),
        (RpcAnswer("UNKNOWN", "Exception calling application: (psycopg.OperationalError) x"), True),
        (RpcAnswer("UNKNOWN", "Exception calling application: division by zero"), False),
        (RpcAnswer("NOT_FOUND"), False),
        (ConnectionError("nobody answers"), True),
        (ValueError("x"), False),
        (OSError(errno.ESTALE, "Stale file handle"), True),
        (OSError(errno.ENOENT, "No such file or directory"), False),
        (OSError(errno.EROFS, "Read-only file system"), False),
        (PermissionError(errno.EACCES, "Permission denied"), False),
    ],
)
def test_passing_errors(error, passes):
    assert is_transient(error) == passes


class DriverError(Exception):
    """As a server's driver raises it."""

    def __init__(self, *args, **codes):
        super().__init__(*args)
        vars(self).update(codes)


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("s", {}, sqlite3.OperationalError("database or disk is full")),
        OperationalError("s", {}, DriverError("could not extend file", sqlstate="53100")),
        OperationalError("s", {}, DriverError("could not extend file", pgcode="53100")),
        OperationalError("s", {}, DriverError(1021, "Disk full (/tmp); waiting")),
        OperationalError("s", {}, DriverError(1114, "The table 'trials' is full")),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
    ],
)
def test_a_full_disk_does_not_pass(error):
    assert is_full(error)
    assert is_full(wrapped(error))
    assert not is_transient(wrapped(error))
    for url in ("a.db", "journal:a", "postgresql://u:secret@h/d"):
        text = storage_at(url).explain(error)
        assert "is full" in text
        assert "make room" in text
        assert "secret" not in text


@pytest.mark.parametrize("error", [LOCKED, ConnectionError("x"), ValueError(1021), OSError(2, "x")])
def test_what_is_no_full_disk(error):
    assert not is_full(error)


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (OSError(errno.EROFS, "Read-only file system"), True),
        (OperationalError("s", {}, sqlite3.OperationalError("no such table: trials")), True),
        (wrapped(IntegrityError("s", {}, Exception("duplicate key"))), False),
        (ValueError("x"), False),
        (KeyError("x"), False),
    ],
)
def test_what_every_step_would_meet_is_named(error, named):
    """And what was written is not at fault."""
    call = Retry(patience=10, storage=storage_at("a.db"))
    with pytest.raises(StorageError if named else type(error)):
        call(failing(1, error))
    with pytest.raises(StorageError if named else type(error)):
        call.once(failing(1, error))


def failing(times, error=LOCKED):
    left = [error] * times

    def step():
        if left:
            raise left.pop()
        return "done"

    return step


def test_a_step_is_tried_until_it_succeeds():
    told: list[Any] = []
    call = Retry(patience=10, warn=told.append)
    assert call(failing(2)) == "done"
    assert told == ["the storage does not answer, trying again: database is locked"]
    assert call.outages == 1
    assert call(failing(0)) == "done"
    assert call.outages == 1


def test_other_errors_are_raised_at_once():
    call = Retry(patience=10)
    with pytest.raises(ValueError):
        call(failing(1, ValueError("x")))
    assert call.outages == 0


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_patience_ends(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    monkeypatch.setattr("tenacity.time", clock)
    monkeypatch.setattr(retry.random, "uniform", lambda low, high: high)
    with pytest.raises(StorageError, match="did not answer for 0 s: database is locked"):
        Retry(patience=0.2)(failing(100))


def test_whoever_is_told_to_stop_waits_a_little_longer(monkeypatch):
    assert Retry(patience=60, stop=lambda: True)(failing(2)) == "done"
    monkeypatch.setattr(retry, "STOPPING", 0.2)
    began = time.monotonic()
    with pytest.raises(StorageError):
        Retry(patience=60, stop=lambda: True)(failing(10**6))
    assert time.monotonic() - began < 5
