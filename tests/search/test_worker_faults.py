"""Workers that die, hang, and come too late. Real processes, a trainer that takes no time.

What many of them do to a study is in tests/faults.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest
from optuna.trial import TrialState

from tests.support import SUPPORT
from tests.support.studies import definition, load, of, prepare, work
from tuner.search.events import EpochDone, TrialDone, TrialReturned, WorkerWarning
from tuner.search.tickets import follower, new_ticket, read_counts
from tuner.storage import open_storage, records, storage_at
from tuner.storage.backend import Writes

WORKER = SUPPORT / "search_worker.py"


def start(url: str, **settings: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), url, "study", json.dumps(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def completed(url: str) -> Counter[int]:
    """How often each ticket ended well."""
    return Counter(
        trial.user_attrs[records.TICKET]
        for trial in load(url).trials
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    )


def test_a_killed_workers_trial_is_tried_again_at_once_on_the_same_machine(any_url):
    prepare(any_url, definition(trials=3))
    killed = start(any_url, die_at=3)
    assert killed.wait(timeout=60) == -signal.SIGKILL
    assert [trial.state.name for trial in load(any_url).trials] == ["RUNNING", "WAITING", "WAITING"]
    began = time.monotonic()
    reason, events = work(any_url, grace=60.0)
    assert reason == "done"
    assert time.monotonic() - began < 20  # far below the grace
    first, *_, retry = load(any_url).trials
    assert first.state == TrialState.FAIL
    assert f"process {killed.pid}) ended" in first.user_attrs[records.CAUSE]
    assert (retry.user_attrs[records.TICKET], retry.user_attrs[records.ATTEMPT]) == (0, 1)
    assert retry.params == first.params
    assert completed(any_url) == {0: 1, 1: 1, 2: 1}
    assert read_counts(load(any_url)).done == 3
    [warning] = of(WorkerWarning, events)
    assert "its ticket is tried again" in warning.text


@pytest.mark.slow
def test_a_ticket_between_its_failure_and_its_next_trial_counts_as_waiting(sqlite):
    prepare(sqlite, definition(trials=2))
    assert start(sqlite, die_in="pop").wait(timeout=60) == -signal.SIGKILL
    assert start(sqlite, die_in="requeue").wait(timeout=60) == -signal.SIGKILL
    assert [trial.state.name for trial in load(sqlite).trials] == ["FAIL", "WAITING"]
    assert read_counts(load(sqlite)).waiting == 2


def test_a_result_that_comes_after_a_takeover_is_void(any_url):
    """The takeover falls between the last report and the result."""
    prepare(any_url, definition(trials=1, pruner="none"))

    def take_over(event):
        if isinstance(event, EpochDone) and event.epoch == event.epochs:
            backend = storage_at(any_url).backend()
            study_id = backend.storage.get_study_id_from_name("study")
            trial = backend.trials(study_id)[0]
            if trial.state == TrialState.RUNNING:
                owner = trial.system_attrs[records.WORKER]
                backend.write(trial._trial_id, Writes(state=TrialState.FAIL), owner)

    reason, events = work(any_url, on_event=take_over)
    assert reason == "done"
    [returned] = of(TrialReturned, events)
    assert "too late" in returned.cause
    first, retry = load(any_url).trials
    assert (first.state, first.value, retry.state) == (TrialState.FAIL, None, TrialState.COMPLETE)
    assert len(of(TrialDone, events)) == 1


@pytest.mark.slow
def test_a_heart_beats_through_an_epoch_longer_than_the_grace(sqlite):
    prepare(sqlite, definition({"optimizer.learning_rate": 0.1, "epochs": 1}, trials=1))
    slow = start(sqlite, epoch_seconds=5.0, heartbeat=0.5)
    while load(sqlite).trials[0].state != TrialState.RUNNING:
        time.sleep(0.05)
    reason, events = work(sqlite, grace=2.0, heartbeat=0.5)
    assert (reason, of(TrialDone, events)) == ("done", [])
    assert slow.wait(timeout=30) == 0
    assert [trial.state for trial in load(sqlite).trials] == [TrialState.COMPLETE]


def test_an_old_heartbeat_is_watched_before_it_is_believed(sqlite):
    """After an outage of the storage all hearts look old, and the living need time to beat."""
    prepare(sqlite, definition(trials=1))
    backend = storage_at(sqlite).backend()
    study_id = backend.storage.get_study_id_from_name("study")
    [trial] = backend.trials(study_id)
    backend.pop(trial._trial_id, "another/machine/1:5:0.00:x")
    with sqlite3.connect(sqlite.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")
    until = time.monotonic() + 0.6
    settings: dict[str, Any] = {
        "grace": 30.0,
        "heartbeat": 10.0,
        "stop": lambda: time.monotonic() > until,
    }
    assert work(sqlite, **settings)[0] == "stopped"
    assert load(sqlite).trials[0].state == TrialState.RUNNING


def test_a_follower_queued_twice_is_tried_once(tmp_path):
    """Two sweeps of a storage that knows no transactions."""
    url = f"journal:{tmp_path}/a"
    prepare(url, definition(trials=2))
    backend = storage_at(url).backend()
    storage = backend.storage
    study_id = storage.get_study_id_from_name("study")
    storage.create_new_trial(study_id, new_ticket(1))
    first = load(url).trials[0]
    backend.pop(first._trial_id, "x:1:0:0")
    backend.write(first._trial_id, Writes(state=TrialState.FAIL), "x:1:0:0")
    for _ in range(2):
        storage.create_new_trial(study_id, follower(load(url).trials[0]))
    reason, events = work(url)
    assert reason == "done"
    assert completed(url) == {0: 1, 1: 1}
    assert len(of(TrialDone, events)) == 2
    void = [t for t in load(url).trials if t.system_attrs.get(records.SETTLED) == records.DUPLICATE]
    assert [trial.number for trial in void] == [2, 4]
    assert read_counts(load(url)).complete == 2


def test_a_trial_failed_by_stock_optuna_is_tried_again(sqlite):
    """Whoever fails a trial without saying more, such as Optuna's own fail_stale_trials."""
    prepare(sqlite, definition(trials=1))
    storage = open_storage(sqlite)
    trial = load(sqlite).trials[0]
    storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
    work(sqlite)
    assert [trial.state.name for trial in load(sqlite).trials] == ["FAIL", "COMPLETE"]


@pytest.mark.slow
def test_retries_are_used_up_by_deaths_too(sqlite):
    prepare(sqlite, definition(trials=1, retries=1))
    for _ in range(2):
        assert start(sqlite, die_at=1).wait(timeout=60) == -signal.SIGKILL
    reason, events = work(sqlite)
    assert (reason, of(TrialDone, events)) == ("done", [])
    counts = read_counts(load(sqlite))
    assert (counts.total, counts.failed) == (1, 1)
    assert "ended without finishing" in load(sqlite).trials[-1].user_attrs[records.CAUSE]
