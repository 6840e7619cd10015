"""A server that restarts under its workers costs them a pause and nothing else."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.support.fake_trainer import FakeTrainer
from tests.support.faults.server_stop import server_stops
from tests.support.faults.study import FaultStudy
from tuner.search.events import TrialDone, WorkerWarning
from tuner.search.loop import run_worker

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_workers_outlive_their_server(postgres_server, mode):
    seen = server_stops(postgres_server, stops=1, down=3.0, mode=mode)
    assert seen.ledger.holds, seen
    assert [len(stop) for stop in seen.returns] == [2]  # both have written since
    assert seen.mistaken == 0


def test_a_worker_that_starts_while_its_server_is_away_waits_for_it(postgres_server, postgres):
    study = FaultStudy(postgres, trials=2)
    postgres_server.stop("fast")
    returns = threading.Timer(1.0, postgres_server.start)
    returns.start()
    events: list[Any] = []
    try:
        reason = run_worker(
            postgres,
            study.name,
            stop=lambda: False,
            on_event=events.append,
            make_trainer=lambda _: FakeTrainer(),
        )
    finally:
        returns.join()
    assert reason == "done"
    assert study.ledger([]).holds
    [warning] = [event.text for event in events if isinstance(event, WorkerWarning)]
    assert "does not answer" in warning
    assert sum(isinstance(event, TrialDone) for event in events) == 2
