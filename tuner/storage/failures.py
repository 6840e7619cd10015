"""What a storage's error says, and whether it passes."""

from __future__ import annotations

import sqlite3
import sys

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

#: What SQLite says if another process holds the lock for longer than the busy timeout.
_SQLITE_PASSING = ("locked", "busy")
# What a gRPC proxy answers for an error of its database, as Optuna raises it there.
_DATABASE = ("OperationalError", "InterfaceError", "during the commit")


def root_cause(error: BaseException) -> BaseException:
    """The error at the bottom of those that Optuna and SQLAlchemy wrap around it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def first_line(error: BaseException) -> str:
    """What the driver says at the bottom of `error`, in a line; its kind if nothing."""
    cause = root_cause(error)
    if (told := proxy_error(cause)) is not None:
        return told[0]
    lines = str(getattr(cause, "orig", None) or cause).strip().splitlines()
    return next(iter(lines), type(cause).__name__)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later. Looks through the errors that Optuna wraps
    around the database's."""
    seen: BaseException | None = error
    while isinstance(seen, Exception):  # an interrupt ends what it interrupted
        if isinstance(seen, PoolTimeoutError | ConnectionError):
            return True
        if (told := proxy_error(seen)) is not None:
            return told[1]
        if isinstance(seen, DBAPIError):
            if isinstance(seen.orig, sqlite3.Error):
                return any(word in str(seen.orig) for word in _SQLITE_PASSING)
            return seen.connection_invalidated or isinstance(
                seen, OperationalError | InterfaceError
            )
        seen = seen.__cause__ or seen.__context__
    return False


def proxy_error(error: BaseException) -> tuple[str, bool] | None:
    """What a gRPC proxy's error says, and whether it passes: the proxy is away, or its database.
    None for any other error."""
    grpc = sys.modules.get("grpc")  # nobody can have raised it before it was imported
    if grpc is None or not isinstance(error, grpc.RpcError):
        return None
    code, details = error.code(), str(error.details())
    passes = code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED) or (
        code == grpc.StatusCode.UNKNOWN and any(word in details for word in _DATABASE)
    )
    return f"{code.name}: {details}", passes
