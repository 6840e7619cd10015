"""Fixtures: a storage of each kind, each test's own."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """A SQLite file with Optuna's tables, as `open_storage` makes it: that takes 0.2 s."""
    from tuner.storage import open_storage

    path = tmp_path_factory.mktemp("database") / "empty.db"
    storage = open_storage(str(path))
    storage._backend.engine.dispose()  # type: ignore[attr-defined]
    return path


def copied(made: Path, folder: Path) -> str:
    """The URL of a copy of a SQLite file, for a test of its own, in `folder`; with what its
    writers, who may still have it open, left in the log beside it."""
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return f"sqlite:///{shutil.copy(made, folder / 'a.db')}"


@pytest.fixture
def sqlite(tmp_path, empty_database) -> str:
    shutil.copy(empty_database, tmp_path / "a.db")
    return f"sqlite:///{tmp_path}/a.db"


@pytest.fixture
def journal(tmp_path) -> str:
    return f"journal:{tmp_path}/a"


@pytest.fixture
def proxy(sqlite):
    """The URL of a gRPC proxy before a SQLite file."""
    from optuna.storages._grpc.server import make_server

    from tests.support.faults.postgres import free_port
    from tuner.storage import open_storage

    port = free_port()
    server = make_server(open_storage(sqlite), "127.0.0.1", port)
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None).wait()


FILES: list[Any] = ["sqlite", "journal"]
SERVERS: list[Any] = [pytest.param("postgres", marks=pytest.mark.slow)]
PROXIES: list[Any] = [pytest.param("proxy", marks=pytest.mark.slow)]


@pytest.fixture(params=FILES + SERVERS)
def url(request) -> str:
    """A database in a file, a storage without transactions, and a server."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=FILES + SERVERS + PROXIES)
def any_url(request) -> str:
    """As `url`, and a proxy, for which each step is several calls."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """One PostgreSQL server a test process; for tests marked slow."""
    from tests.support.faults.postgres import PostgresServer

    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def _postgres_template(postgres_server) -> str:
    """A database with Optuna's tables, as `open_storage` makes them: that takes 0.4 s."""
    from tuner.storage import open_storage

    url = postgres_server.new_database()
    open_storage(url)._backend.engine.dispose()  # type: ignore[attr-defined]
    return url


@pytest.fixture
def postgres(postgres_server, _postgres_template):
    """The URL of a PostgreSQL database of one's own, with Optuna's tables and nothing in them."""
    url = postgres_server.new_database(copy_of=_postgres_template)
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def empty_postgres(postgres_server):
    """The URL of a PostgreSQL database of one's own that nobody has used."""
    url = postgres_server.new_database()
    yield url
    postgres_server.drop_database(url)
