"""What a storage's error says, whether it passes, and whether it lies in the storage."""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Iterator

#: What SQLite says if another process holds the lock for longer than the busy timeout.
_SQLITE_PASSING = ("locked", "busy")
# What a gRPC proxy answers for an error of its database, as Optuna raises it there.
_DATABASE = ("OperationalError", "InterfaceError", "during the commit")
#: A disk, a quota or the size allowed of a file that is used up.
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
#: A server's: PostgreSQL's disk_full; MySQL's ER_DISK_FULL and ER_RECORD_FILE_FULL.
_SERVER_FULL = ("53100", 1021, 1114)
#: Of a file on a network, or of a system short of something for a moment.
_PASSING = (
    *("EAGAIN", "EBUSY", "EMFILE", "ENFILE", "ENOLCK", "ESTALE", "ETIMEDOUT"),
    *("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH"),
)


def _chain(error: BaseException) -> Iterator[Exception]:
    """The error and those that Optuna and SQLAlchemy have wrapped, the outermost first."""
    seen: BaseException | None = error
    while isinstance(seen, Exception):  # an interrupt ends what it interrupted
        yield seen
        seen = seen.__cause__ or seen.__context__


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


def is_full(error: BaseException) -> bool:
    """Whether there is no room left to write to."""
    return any(map(_says_full, _chain(error)))


def _says_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    from sqlalchemy.exc import DBAPIError

    told = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(told, sqlite3.Error):
        return "disk is full" in str(told)
    if told is None or told is error:
        return False
    # psycopg, psycopg2, PyMySQL
    codes = (getattr(told, "sqlstate", None), getattr(told, "pgcode", None), *told.args[:1])
    return any(code in _SERVER_FULL for code in codes)


def is_io_error(error: BaseException) -> bool:
    """Whether SQLite could not read or write, for a reason that it does not tell."""
    return "disk I/O error" in first_line(error)


def lies_in_storage(error: BaseException) -> bool:
    """Whether every other step in the storage would meet it too, and not what was written is at
    fault."""
    from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

    seen = list(_chain(error))
    return any(isinstance(one, OSError | DBAPIError | sqlite3.Error) for one in seen) and not any(
        isinstance(one, IntegrityError | DataError) for one in seen
    )


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later. Looks through the errors that Optuna wraps
    around the database's."""
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    if is_full(error):
        return False
    for seen in _chain(error):
        if isinstance(seen, PoolTimeoutError | ConnectionError):
            return True
        if isinstance(seen, OSError):
            return errno.errorcode.get(seen.errno or 0) in _PASSING
        if (told := proxy_error(seen)) is not None:
            return told[1]
        if isinstance(seen, DBAPIError):
            if isinstance(seen.orig, sqlite3.Error):
                return any(word in str(seen.orig) for word in _SQLITE_PASSING)
            return seen.connection_invalidated or isinstance(
                seen, OperationalError | InterfaceError
            )
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
