"""Workers that all start at one moment find one another."""

from __future__ import annotations

import pytest

from tests.support.faults.fresh_starts import fresh_starts

pytestmark = pytest.mark.slow


def test_sixteen_workers_start_on_a_new_sqlite_file(tmp_path):
    seen = fresh_starts(lambda: f"sqlite:///{tmp_path}/new/a.db", starts=1)
    assert seen.holds, seen


def test_sixteen_workers_start_on_a_new_postgresql_database(empty_postgres):
    seen = fresh_starts(lambda: empty_postgres, starts=1)
    assert seen.holds, seen
