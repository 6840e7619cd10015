"""PostgreSQL and MySQL: connections that are checked before use, sessions in UTC, a schema made
by one process while the others wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from optuna.storages import RDBStorage

from tuner.search.storage.schema import has_schema

#: Any number, the same for every tuner: the advisory lock that makers of the schema take.
_LOCK = 7_483_646_021
#: Seconds to wait for a connection before the server counts as unreachable.
CONNECT_TIMEOUT = 10


def open_server(url: str, shown: str) -> RDBStorage:
    """The storage of a server's database; its tables are made if need be.

    `url` names its driver, `shown` is the URL for messages. Raises `StorageError` for a schema of
    another Optuna, `sqlalchemy.exc.SQLAlchemyError` where the server cannot be used.
    """
    kwargs = engine_kwargs(url)
    engine = sqlalchemy.create_engine(url, **kwargs)
    try:
        if not has_schema(engine, shown):
            with _advisory_lock(engine):
                return RDBStorage(url, engine_kwargs=kwargs)
    finally:
        engine.dispose()
    return RDBStorage(
        url, engine_kwargs=kwargs, skip_table_creation=True, skip_compatibility_check=True
    )


def engine_kwargs(url: str) -> dict[str, Any]:
    """What `sqlalchemy.create_engine` is given: every connection is tried before it is used
    (`pool_pre_ping`), and its session counts in UTC, so that a heartbeat's age is the same seen
    from anywhere."""
    family = sqlalchemy.make_url(url).get_backend_name()
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT}
    if family == "postgresql":
        arguments["options"] = "-c timezone=utc"
    else:
        arguments["init_command"] = "SET time_zone = '+00:00'"
    return {"pool_pre_ping": True, "connect_args": arguments}


@contextmanager
def _advisory_lock(engine: sqlalchemy.Engine) -> Iterator[None]:
    """The server's own lock; it lets go when the connection ends, however it ends."""
    take, leave = (
        (f"SELECT pg_advisory_lock({_LOCK})", f"SELECT pg_advisory_unlock({_LOCK})")
        if engine.dialect.name == "postgresql"
        else (f"SELECT GET_LOCK('tuner{_LOCK}', 60)", f"SELECT RELEASE_LOCK('tuner{_LOCK}')")
    )
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(take))
        try:
            yield
        finally:
            connection.execute(sqlalchemy.text(leave))
