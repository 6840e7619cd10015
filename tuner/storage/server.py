"""PostgreSQL and MySQL: connections that are checked before use and never hang for long, sessions
in UTC, a schema made by one process while the others wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from optuna.storages import RDBStorage

from tuner.errors import UsageError
from tuner.storage.schema import has_schema

#: Any number, the same for every tuner: the advisory lock that makers of the schema take.
_LOCK = 7_483_646_021
#: Seconds to wait for that lock: making the schema takes less than one.
LOCK_TIMEOUT = 60
#: Seconds to wait for a connection before the server counts as unreachable.
CONNECT_TIMEOUT = 10
#: Seconds after which a connection whose other end has vanished, as when a machine loses its
#: power, counts as broken. Systems left to themselves wait for hours.
SILENCE = 30
#: Seconds after which PostgreSQL ends the session of a process that stands still inside a
#: transaction (a laptop that sleeps): everybody waits for the rows that it has locked.
STANDSTILL = 10
#: Connections that a process keeps. A worker has a second thread, for its heartbeat, which opens
#: one more for the moment when both are at work; kept, it would halve the number of workers that
#: a server's limit allows (PostgreSQL's default: 100 connections).
KEPT, MORE = 1, 14


def open_server(url: str, shown: str) -> RDBStorage:
    """The storage of a server's database; its tables are made if need be.

    `url` names its driver, `shown` is the URL for messages.

    Raises:
        UsageError: the URL cannot be read.
        StorageError: the schema of another Optuna.
        sqlalchemy.exc.SQLAlchemyError: the server cannot be used.
    """
    try:
        kwargs = engine_kwargs(url)
    except ValueError as error:  # a port that is no number
        raise UsageError(
            f"a server's port is a number; got {shown}. Available: "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, mysql://..."
        ) from error
    engine = sqlalchemy.create_engine(url, **kwargs)
    try:
        if not has_schema(engine, shown):
            with _advisory_lock(engine):
                if not has_schema(engine, shown):
                    RDBStorage(url, engine_kwargs=kwargs).engine.dispose()
    finally:
        engine.dispose()
    return RDBStorage(
        url, engine_kwargs=kwargs, skip_table_creation=True, skip_compatibility_check=True
    )


def engine_kwargs(url: str) -> dict[str, Any]:
    """What `sqlalchemy.create_engine` is given: every connection is tried before it is used
    (`pool_pre_ping`), and its session counts in UTC, so that a heartbeat's age is the same seen
    from anywhere. Raises ValueError for a port that is no number."""
    family = sqlalchemy.make_url(url).get_backend_name()
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT}
    if family == "postgresql":
        # Of libpq, so for psycopg and psycopg2 alike; milliseconds and seconds.
        arguments |= {
            "options": f"-c timezone=utc -c idle_in_transaction_session_timeout={STANDSTILL}s",
            "keepalives_idle": SILENCE // 3,
            "keepalives_interval": SILENCE // 6,
            "keepalives_count": 4,
            "tcp_user_timeout": 1000 * SILENCE,
        }
    else:
        # Longer than MySQL itself waits for a locked row (50 s).
        arguments |= {
            "init_command": "SET time_zone = '+00:00'",
            "read_timeout": LOCK_TIMEOUT + SILENCE,
            "write_timeout": SILENCE,
        }
    return {
        "pool_pre_ping": True,
        "pool_size": KEPT,
        "max_overflow": MORE,
        "connect_args": arguments,
    }


@contextmanager
def _advisory_lock(engine: sqlalchemy.Engine) -> Iterator[None]:
    """The server's own lock; it lets go when the connection ends, however it ends."""
    postgresql = engine.dialect.name == "postgresql"
    # Outside a transaction: PostgreSQL would end one that stands still for long.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if postgresql:
            connection.execute(sqlalchemy.text(f"SET lock_timeout = '{LOCK_TIMEOUT}s'"))
            take, leave = f"SELECT pg_advisory_lock({_LOCK})", f"SELECT pg_advisory_unlock({_LOCK})"
        else:
            take = f"SELECT GET_LOCK('tuner{_LOCK}', {LOCK_TIMEOUT})"
            leave = f"SELECT RELEASE_LOCK('tuner{_LOCK}')"
        taken = connection.execute(sqlalchemy.text(take)).scalar()
        if taken == 0:  # MySQL's answer; PostgreSQL raises
            raise sqlalchemy.exc.TimeoutError(
                f"another process has been making the tables for {LOCK_TIMEOUT} s"
            )
        try:
            yield
        finally:
            connection.execute(sqlalchemy.text(leave))
