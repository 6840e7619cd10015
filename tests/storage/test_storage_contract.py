"""Optuna's own contract for storages, run over what `open_storage` gives.

Nothing is left out. For a gRPC proxy see `test_storage_proxy.py`.
"""

from __future__ import annotations

import pytest
from optuna.testing.pytest_storages import StorageTestCase

from tuner.storage import open_storage

pytestmark = pytest.mark.slow


class TestSQLite(StorageTestCase):
    @pytest.fixture
    def storage(self, tmp_path):
        return open_storage(f"sqlite:///{tmp_path}/a.db")


class TestJournal(StorageTestCase):
    @pytest.fixture
    def storage(self, tmp_path):
        return open_storage(f"journal:{tmp_path}/a")


class TestPostgreSQL(StorageTestCase):
    @pytest.fixture
    def storage(self, postgres):
        return open_storage(postgres)
