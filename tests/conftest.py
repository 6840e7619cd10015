"""Settings of every test: one thread of TensorFlow and no chatter, as in a worker."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

# A shell starts background jobs with SIGINT ignored, and so would every process started here be.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def leaves_no_children():
    """The test ends with no child process of its own; joblib keeps those of earlier tests."""
    before = {child.pid for child in multiprocessing.active_children()}
    yield
    assert {child.pid for child in multiprocessing.active_children()} <= before


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """One PostgreSQL server a test process; for tests marked slow."""
    from bench.faults.postgres import PostgresServer

    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def _postgres_template(postgres_server) -> str:
    """A database with Optuna's tables, as `open_storage` makes them: that takes 0.4 s."""
    from tuner.search.storage import open_storage

    url = postgres_server.new_database()
    open_storage(url)._backend.engine.dispose()
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
