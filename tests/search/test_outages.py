"""An outage of the storage is not taken for the death of those who could not beat meanwhile."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from optuna.trial import TrialState

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, load, of, prepare, work
from tuner.search.events import WorkerWarning
from tuner.storage import storage_at
from tuner.storage.rdb_backend import RdbBackend

pytestmark = pytest.mark.slow

HEARTBEAT = 0.8
STEPS = ("trials", "beats", "write", "beat", "pop")


class Outage:
    """What the steps of a database run into while it lasts."""

    def __init__(self, monkeypatch):
        self.now = threading.Event()
        self.met = set()
        self.ended = 0.0
        for name in STEPS:
            self._guard(monkeypatch, name)

    def _guard(self, monkeypatch, name):
        step = getattr(RdbBackend, name)

        def guarded(*args, **kwargs):
            if self.now.is_set():
                self.met.add(name)
                raise ConnectionError("nobody answers")
            return step(*args, **kwargs)

        monkeypatch.setattr(RdbBackend, name, guarded)

    def begin(self):
        self.now.set()

    def end(self):
        self.now.clear()
        self.ended = time.time()


@pytest.fixture
def outage(monkeypatch):
    return Outage(monkeypatch)


def another_machines(url, ticket):
    """Its worker has the ticket, and was never heard of again."""
    backend = storage_at(url).backend()
    trial = backend.trials(backend.storage.get_study_id_from_name("study"))[ticket]
    backend.pop(trial._trial_id, "another/machine/1:5:0.00:x")
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")


def taken_at(url, ticket):
    trial = load(url).trials[ticket]
    assert trial.state == TrialState.FAIL
    return trial.datetime_complete.timestamp()


@pytest.mark.parametrize("step", ["trials", "beats", "write"])
def test_whoever_waited_for_the_storage_watches_anew(sqlite, outage, monkeypatch, step):
    """Wherever the idle worker is when the outage begins."""
    prepare(sqlite, definition(trials=1))
    another_machines(sqlite, 0)
    returns = threading.Timer(3 * HEARTBEAT, outage.end)
    before = getattr(RdbBackend, step)
    looks = []

    def begins_here(*args, **kwargs):
        looks.append(step)
        if len(looks) == (1 if step == "write" else 2):
            outage.begin()
            returns.start()
        return before(*args, **kwargs)

    monkeypatch.setattr(RdbBackend, step, begins_here)
    reason, _ = work(sqlite, heartbeat=HEARTBEAT, grace=HEARTBEAT)
    assert reason == "done"
    assert step in outage.met
    assert taken_at(sqlite, 0) - outage.ended >= 2 * HEARTBEAT


def test_whoever_trained_through_an_outage_watches_anew(sqlite, outage):
    """Nothing waited for the storage; only the heart found that it was away."""
    prepare(sqlite, definition({"optimizer.learning_rate": 0.1, "epochs": 3}, trials=2))
    another_machines(sqlite, 0)

    def train(params, epoch):
        if epoch == 2 and not outage.ended:
            outage.begin()
            time.sleep(3 * HEARTBEAT)
            outage.end()

    trainer = FakeTrainer(fail=train)
    reason, events = work(sqlite, heartbeat=HEARTBEAT, grace=HEARTBEAT, trainer=trainer)
    assert reason == "done"
    assert outage.met == {"beat"}
    assert taken_at(sqlite, 0) - outage.ended >= 2 * HEARTBEAT
    [warning] = of(WorkerWarning, events)
    assert "its ticket is tried again" in warning.text
