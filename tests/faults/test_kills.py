"""The scenarios of bench/faults, with few faults. Their seconds are measured there, not asserted
here: this machine may be busy."""

from __future__ import annotations

import pytest

from tests.support.faults.grid_kill import POINTS, grid_kill
from tests.support.faults.kill_at import kill_at
from tests.support.faults.kills import kills
from tests.support.faults.pauses import pauses
from tests.support.faults.worker_main import Settings

pytestmark = pytest.mark.slow

QUICK = Settings(epoch_seconds=0.03, grace=1.0, heartbeat=0.25)


STORAGES = {"sqlite": "sqlite:///{}/a.db", "journal": "journal:{}/a"}


@pytest.fixture
def url(request, tmp_path) -> str:
    """An empty storage of the kind that the test names."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    return STORAGES[request.param].format(tmp_path)


def on(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("url", kinds, indirect=True)


@on("sqlite", "journal", "postgresql")
def test_workers_killed_at_random_moments_lose_nothing_and_repeat_nothing(url):
    seen = kills(url, kills=5, workers=3, pause=1.5, settings=QUICK)
    assert seen.ledger.holds, seen
    assert seen.holding > 0


@pytest.mark.parametrize(
    ("url", "point", "left"),
    [
        ("sqlite", "pop:inside", 0),  # not committed, so never begun
        ("postgresql", "pop:inside", 0),
        ("journal", "pop:inside", 2),  # the first of its two records is there
        ("sqlite", "pop:after", 2),
        ("sqlite", "tell:inside", 2),
        ("sqlite", "tell:after", 0),
    ],
    indirect=["url"],
)
def test_a_worker_killed_at_one_point_loses_nothing(url, point, left):
    seen = kill_at(url, point=point, kills=2, settings=QUICK)
    assert seen.ledger.holds, seen
    assert seen.left == left


@pytest.mark.parametrize(
    ("url", "point"),
    [
        ("sqlite", "sweep:between"),
        ("postgresql", "sweep:between"),
        ("journal", "sweep:between"),
        ("sqlite", "sweep:inside"),
    ],
    indirect=["url"],
)
def test_a_worker_killed_while_it_sweeps_loses_nothing(url, point):
    seen = kill_at(url, point=point, kills=2)
    assert seen.ledger.holds, seen
    assert seen.left >= 2


@pytest.mark.parametrize("at", [None, "tell:before"])
@on("sqlite")
def test_a_paused_workers_late_result_is_discarded_and_it_goes_on(url, at):
    seen = pauses(url, pauses=1, at=at, workers=2, settings=QUICK)
    assert seen.ledger.holds, seen
    assert (seen.discarded, seen.going_on) == (1, 1)


@pytest.mark.parametrize(("workers", "stacked"), [(4, False), (16, True)])
@on("sqlite")
def test_a_grid_with_a_kill_is_complete_and_a_re_run_adds_nothing(url, workers, stacked):
    seen = grid_kill(url, workers=workers, stacked=stacked, settings=QUICK)
    assert (seen.complete, seen.added) == (POINTS, 0)
    assert seen.ledger.holds, seen
    assert seen.left > 0
