"""Storages for the tests of the search."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """A SQLite file with Optuna's tables, as `open_storage` makes it: that takes 0.2 s."""
    from tuner.search.storage import open_storage

    path = tmp_path_factory.mktemp("database") / "empty.db"
    storage = open_storage(str(path))
    storage._backend.engine.dispose()
    return path


@pytest.fixture
def sqlite(tmp_path, empty_database) -> str:
    shutil.copy(empty_database, tmp_path / "a.db")
    return f"sqlite:///{tmp_path}/a.db"


@pytest.fixture(
    params=["sqlite", "journal", pytest.param("postgresql", marks=pytest.mark.slow)],
)
def url(request, tmp_path, empty_database) -> str:
    """A file database, a storage without transactions, and a server."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    if request.param == "journal":
        return f"journal:{tmp_path}/a"
    shutil.copy(empty_database, tmp_path / "a.db")
    return f"sqlite:///{tmp_path}/a.db"
