"""The scenarios of bench/faults in small doses. Their seconds are measured there, not asserted
here: this machine may be busy."""

from __future__ import annotations

import pytest

from bench.faults.grid_kill import POINTS, grid_kill
from bench.faults.kill_at import kill_at
from bench.faults.kills import kills
from bench.faults.pauses import pauses
from bench.faults.worker import Settings

pytestmark = pytest.mark.slow

QUICK = Settings(epoch_seconds=0.03, grace=1.0, heartbeat=0.25)


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def url(request, tmp_path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    return f"sqlite:///{tmp_path}/a.db" if request.param == "sqlite" else f"journal:{tmp_path}/a"


@pytest.fixture
def sqlite(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/a.db"


def test_workers_killed_at_random_moments_lose_nothing_and_repeat_nothing(url):
    seen = kills(url, kills=8, workers=3, pause=1.5, settings=QUICK)
    assert seen.ledger.holds, seen
    assert seen.holding > 0
    assert seen.ledger.tickets >= seen.holding


@pytest.mark.parametrize("point", ["pop:inside", "pop:after"])
def test_a_worker_killed_at_its_pop_loses_nothing(url, point):
    seen = kill_at(url, point=point, kills=3, settings=QUICK)
    assert seen.ledger.holds, seen
    # What was not committed was never begun; a journal keeps the first of its two records.
    assert seen.left >= (0 if point == "pop:inside" and not url.startswith("journal") else 3)


@pytest.mark.parametrize("point", ["sweep:between", "sweep:inside"])
def test_a_worker_killed_while_it_sweeps_loses_nothing(url, point):
    if url.startswith("journal") and point == "sweep:inside":
        pytest.skip("one record: there is nothing inside")
    seen = kill_at(url, point=point, kills=3)
    assert seen.ledger.holds, seen
    assert seen.left >= 3


@pytest.mark.parametrize(("point", "left"), [("tell:inside", 2), ("tell:after", 0)])
def test_a_result_counts_once_whether_or_not_its_worker_hears_of_it(sqlite, point, left):
    seen = kill_at(sqlite, point=point, kills=2, settings=QUICK)
    assert seen.ledger.holds, seen
    assert seen.left == left


def test_a_paused_workers_late_result_is_discarded_and_it_goes_on(url):
    seen = pauses(url, pauses=2, workers=2, settings=QUICK)
    assert seen.ledger.holds, seen
    assert (seen.discarded, seen.going_on) == (2, 2)


@pytest.mark.parametrize(("workers", "stacked"), [(2, False), (4, True), (16, True)])
def test_a_grid_with_a_kill_is_complete_and_a_re_run_adds_nothing(sqlite, workers, stacked):
    seen = grid_kill(sqlite, workers=workers, stacked=stacked, settings=QUICK)
    assert (seen.complete, seen.added) == (POINTS, 0)
    assert seen.ledger.holds, seen
    assert seen.left > 0
