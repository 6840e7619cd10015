"""Workers that stop, wait, share a study, or lose it."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any

import pytest
from optuna.trial import TrialState

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import RATE, definition, load, of, prepare, table, work
from tuner.errors import UsageError
from tuner.search.events import (
    EpochDone,
    TrialDone,
    TrialReturned,
    WorkerWarning,
)
from tuner.search.tickets import read_counts
from tuner.storage import records


def test_stopping_hands_the_trial_back_at_the_next_epoch(any_url):
    prepare(any_url, definition(trials=4, pruner="none"))
    epochs: list[Any] = []
    reason, events = work(
        any_url,
        stop=lambda: len(epochs) >= 9,  # in the third epoch of the second trial
        on_event=lambda event: epochs.append(event) if isinstance(event, EpochDone) else None,
    )
    assert reason == "stopped"
    [returned] = of(TrialReturned, events)
    assert (returned.ticket, returned.cause) == (1, "handed back at shutdown")
    assert len(of(EpochDone, events)) == 9
    counts = read_counts(load(any_url))
    assert (counts.complete, counts.waiting, counts.running) == (1, 3, 0)
    assert {trial.state for trial in load(any_url).trials} <= {
        TrialState.COMPLETE,
        TrialState.WAITING,
        TrialState.FAIL,
    }
    reason, events = work(any_url)
    assert reason == "done"
    last = [t for t in load(any_url).trials if t.state == TrialState.COMPLETE]
    assert sorted(trial.user_attrs[records.TICKET] for trial in last) == [0, 1, 2, 3]
    assert {trial.user_attrs[records.ATTEMPT] for trial in last} == {0}
    assert all(len(trial.intermediate_values) == 6 for trial in last)
    assert read_counts(load(any_url)).complete == 4


def test_in_a_database_nothing_is_left_of_a_trial_handed_back(sqlite, tmp_path):
    whole = f"journal:{tmp_path}/whole"
    for place in (sqlite, whole):
        prepare(place, definition(trials=8, pruner="none"))
    epochs = []
    count = lambda event: epochs.append(event) if isinstance(event, EpochDone) else None  # noqa: E731
    work(sqlite, stop=lambda: len(epochs) >= 9, on_event=count)
    work(sqlite)
    work(whole)
    assert table(sqlite) == table(whole)


def test_a_trial_in_its_last_epoch_is_finished_not_handed_back(sqlite):
    prepare(sqlite, definition(trials=3, pruner="none"))
    epochs: list[Any] = []
    reason, events = work(
        sqlite,
        stop=lambda: len(epochs) >= 6,
        on_event=lambda event: epochs.append(event) if isinstance(event, EpochDone) else None,
    )
    assert (reason, len(of(TrialDone, events)), of(TrialReturned, events)) == ("stopped", 1, [])


@pytest.mark.slow
def test_the_deadline_ends_the_loop(sqlite):
    prepare(sqlite, definition({**RATE, "epochs": 2000}, trials=200, pruner="none"))
    deadline = time.time() + 2.0
    reason, events = work(sqlite, deadline=deadline, trainer=FakeTrainer(epoch_seconds=0.05))
    assert reason == "deadline"
    assert len(of(TrialReturned, events)) == 1
    assert read_counts(load(sqlite)).running == 0


def test_an_interrupt_in_the_training_hands_the_trial_back(sqlite):
    def fail(params, epoch):
        raise KeyboardInterrupt

    prepare(sqlite, definition(trials=2))
    with pytest.raises(KeyboardInterrupt):
        work(sqlite, trainer=FakeTrainer(fail=fail))
    assert [trial.state for trial in load(sqlite).trials] == [TrialState.WAITING] * 2


@pytest.mark.slow
def test_two_workers_share_a_study(url):
    prepare(url, definition(trials=20))
    done = []

    def run(number):
        _, events = work(url, worker=number, trainer=FakeTrainer(epoch_seconds=0.01))
        done.append([event.ticket for event in of(TrialDone, events)])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done[0] + done[1]) == list(range(20))
    assert all(done)


def test_a_worker_waits_for_trials_that_may_come_back(sqlite):
    prepare(sqlite, definition(trials=1))
    slow = threading.Thread(
        target=work, args=(sqlite,), kwargs={"trainer": FakeTrainer(epoch_seconds=0.1)}
    )
    slow.start()
    while load(sqlite).trials[0].state != TrialState.RUNNING:
        time.sleep(0.01)
    reason, events = work(sqlite)
    slow.join()
    assert reason == "done"
    assert [type(event).__name__ for event in events] == ["WorkerReady", "WorkerIdle", "WorkerDone"]
    assert load(sqlite).trials[0].state == TrialState.COMPLETE


def test_a_study_deleted_under_a_worker_ends_it_with_a_message(url):
    prepare(url, definition(trials=5))

    def delete(event):
        if isinstance(event, TrialDone):
            study = load(url)
            study._storage.delete_study(study._study_id)

    with pytest.raises(UsageError, match="'study' was deleted"):
        work(url, on_event=delete)


@pytest.mark.slow
def test_a_storage_that_is_locked_for_a_while_is_waited_for(sqlite, monkeypatch):
    monkeypatch.setattr("tuner.storage.sqlite.BUSY_TIMEOUT", 0.05)
    prepare(sqlite, definition(trials=3))
    path = sqlite.removeprefix("sqlite:///")
    held, warned = threading.Event(), threading.Event()

    def hold():
        with sqlite3.connect(path, isolation_level=None) as connection:
            connection.execute("BEGIN IMMEDIATE")
            held.set()
            warned.wait(60)
            connection.execute("COMMIT")

    def on_event(event):
        if isinstance(event, WorkerWarning):
            warned.set()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    reason, events = work(sqlite, on_event=on_event)
    holder.join()
    assert reason == "done"
    assert any("does not answer" in event.text for event in of(WorkerWarning, events))
    assert read_counts(load(sqlite)).complete == 3
