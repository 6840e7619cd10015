"""Groups on a trainer that takes no time: claimed at once, told one by one, whatever happens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState

from tests.support import SUPPORT
from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, load, of, prepare, table, work
from tuner.planning import network_seed
from tuner.search.events import EpochDone, TrialDone, TrialReturned, TrialStarted
from tuner.search.tickets import new_ticket, read_counts
from tuner.storage import open_storage, records, storage_at
from tuner.storage.backend import Writes

WORKER = SUPPORT / "search_worker.py"
RATES = [0.001, 0.01, 0.1, 1.0, 2.0, 3.0]
GRID = {"optimizer.learning_rate": {"values": RATES}, "epochs": {"values": [3, 5]}}


def grid(params=GRID, **changes):
    return definition(params, sampler="grid", **changes)


def completed(url):
    return Counter(
        trial.user_attrs[records.TICKET]
        for trial in load(url).trials
        if trial.state == TrialState.COMPLETE
    )


def start(url, **settings):
    return subprocess.Popen(
        [sys.executable, str(WORKER), url, "study", json.dumps(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_each_candidate_ends_as_if_it_had_trained_alone(url, tmp_path):
    """Value, reports, attributes and curves equal those of the trials that a pruner which prunes
    nothing lets train one at a time, but for the seeds that candidates of one training share."""
    made = grid({"optimizer.learning_rate": {"values": RATES}, "epochs": 4})
    alone = f"journal:{tmp_path}/alone"
    prepare(url, made)
    trainer = FakeTrainer()
    _, events = work(url, trainer=trainer)
    assert sorted(len(stack) for stack in trainer.stacks) == [3, 3]
    prepare(alone, grid(made.space.to_dict()["params"], pruner={"name": "threshold", "lower": 0}))
    work(alone)
    assert table(url) == table(alone)
    for mine, other in zip(load(url).trials, load(alone).trials, strict=True):
        for name in (records.FOLD_SCORES, records.EPOCHS_RUN, records.SCORE_EPOCHS):
            assert mine.user_attrs[name] == other.user_attrs[name]
        ours, theirs = records.read_curves(mine), records.read_curves(other)
        assert ours is not None
        assert theirs is not None
        np.testing.assert_array_equal(ours.validation["accuracy"], theirs.validation["accuracy"])
        assert len(ours.epoch_seconds) == 4
    told = {event.number: event.value for event in of(TrialDone, events)}
    assert told == {trial.number: trial.value for trial in load(url).trials}
    epochs = Counter(event.number for event in of(EpochDone, events))
    assert epochs == dict.fromkeys(range(6), 4)


def test_candidates_that_differ_only_in_epochs_are_seeded_by_the_first(sqlite):
    seen = []

    class Recorder(FakeTrainer):
        def train(self, plans, seeds, **settings):
            seen.extend(seeds)
            return super().train(plans, seeds, **settings)

    prepare(sqlite, grid(seed=9))
    _, events = work(sqlite, trainer=Recorder())
    # ParameterGrid's order: epochs, then the rate; so ticket t and t + 6 share a training.
    assert sorted(seen) == sorted([[network_seed(9, t, f) for f in range(3)] for t in range(6)])
    trials = load(sqlite).trials
    for short, long in zip(trials[:6], trials[6:], strict=True):
        assert (short.params["epochs"], long.params["epochs"]) == (3, 5)
        assert short.user_attrs[records.EPOCHS_RUN] == 3
        reports = long.intermediate_values
        assert short.intermediate_values == {e: reports[e] for e in range(3)}
        assert short.value == pytest.approx(reports[2])
        assert long.value == pytest.approx(reports[4])
    assert len(of(TrialDone, events)) == 12


def test_seconds_are_shared_among_the_candidates_of_a_stack(sqlite):
    prepare(sqlite, grid())
    work(sqlite, trainer=FakeTrainer(epoch_seconds=0.01))
    spent = [trial.user_attrs[records.DURATION] for trial in load(sqlite).trials]
    assert sum(spent) == pytest.approx(0.01 * 5 * 2, rel=0.01)  # two stacks of five epochs


def test_a_worker_claims_a_whole_group_and_others_leave_it_alone(url):
    prepare(url, grid())
    running: list[Any] = []

    def on_event(event):
        if isinstance(event, EpochDone) and event.epoch == 1 and not running:
            running.extend(t.state.name for t in load(url).trials)
            _, others = work(url, worker=1, stop=lambda: bool(done), on_event=note)
            running.append(others)

    done: list[object] = []

    def note(event):
        if isinstance(event, TrialDone):
            done.append(event)

    trainer = FakeTrainer()
    work(url, trainer=trainer, on_event=on_event)
    states, others = running[:-1], running[-1]
    assert Counter(states) == {"RUNNING": 6, "WAITING": 6}
    mine = {i for i, state in enumerate(states) if state == "RUNNING"}
    assert {event.ticket for event in of(TrialStarted, others)} == set(range(12)) - mine
    assert len(trainer.stacks) == 1
    assert completed(url) == dict.fromkeys(range(12), 1)


def test_racing_workers_tell_each_ticket_once(url):
    prepare(url, grid({"optimizer.learning_rate": {"values": [0.1 * i for i in range(1, 25)]}}))
    trainers = [FakeTrainer(epoch_seconds=0.005) for _ in range(3)]
    threads = [
        threading.Thread(target=work, args=(url,), kwargs={"worker": i, "trainer": trainer})
        for i, trainer in enumerate(trainers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert completed(url) == dict.fromkeys(range(24), 1)
    assert len(load(url).trials) == 24
    assert sum(len(trainer.stacks) for trainer in trainers) == 6  # none was trained twice


def test_a_killed_workers_group_is_trained_again_as_a_whole(url, tmp_path):
    whole = f"journal:{tmp_path}/whole"
    for place in (url, whole):
        prepare(place, grid())
    killed = start(url, die_at=2)
    assert killed.wait(timeout=60) == -signal.SIGKILL
    assert Counter(t.state.name for t in load(url).trials) == {"RUNNING": 6, "WAITING": 6}
    trainer = FakeTrainer()
    assert work(url, trainer=trainer)[0] == "done"
    assert sorted(len(stack) for stack in trainer.stacks) == [3, 3]
    assert completed(url) == dict.fromkeys(range(12), 1)
    work(whole)
    values = {trial.user_attrs[records.TICKET]: trial.value for trial in load(whole).trials}
    for trial in load(url).trials:
        if trial.state == TrialState.COMPLETE:
            assert trial.value == values[trial.user_attrs[records.TICKET]]
    failed = [trial for trial in load(url).trials if trial.state == TrialState.FAIL]
    assert len(failed) == 6
    assert read_counts(load(url)).complete == 12


@pytest.mark.slow
def test_three_processes_and_a_kill_make_each_ticket_once(sqlite):
    prepare(sqlite, grid({"optimizer.learning_rate": {"values": [0.1 * i for i in range(1, 41)]}}))
    workers = [start(sqlite, epoch_seconds=0.02) for _ in range(2)]
    victim = start(sqlite, die_at=4, epoch_seconds=0.02)
    assert victim.wait(timeout=60) == -signal.SIGKILL
    for worker in workers:
        out, err = worker.communicate(timeout=120)
        assert out.splitlines()[-1] == "done", err
    assert completed(sqlite) == dict.fromkeys(range(40), 1)


def test_stopping_keeps_what_has_ended_and_hands_the_rest_back(url):
    prepare(url, grid())
    epochs = []

    def on_event(event):
        if isinstance(event, EpochDone):
            epochs.append(event.epoch)

    reason, events = work(url, on_event=on_event, stop=lambda: 4 in epochs)
    assert reason == "stopped"
    assert {event.ticket for event in of(TrialDone, events)} == {0, 1, 2}  # those of 3 epochs
    returned = of(TrialReturned, events)
    assert {event.ticket for event in returned} == {6, 7, 8}
    assert {event.cause for event in returned} == {"handed back at shutdown"}
    counts = read_counts(load(url))
    assert (counts.complete, counts.waiting, counts.running) == (3, 9, 0)
    trainer = FakeTrainer()
    assert work(url, trainer=trainer)[0] == "done"
    assert completed(url) == dict.fromkeys(range(12), 1)
    assert [len(stack) for stack in trainer.stacks] == [3, 3]
    assert {trial.user_attrs[records.ATTEMPT] for trial in load(url).trials} == {0}


def test_an_interrupt_hands_the_whole_group_back(sqlite):
    def fail(params, epoch):
        raise KeyboardInterrupt

    prepare(sqlite, grid())
    with pytest.raises(KeyboardInterrupt):
        work(sqlite, trainer=FakeTrainer(fail=fail))
    assert {trial.state for trial in load(sqlite).trials} == {TrialState.WAITING}


def test_a_result_that_comes_after_a_takeover_is_void_and_the_others_count(url):
    prepare(url, grid({"optimizer.learning_rate": {"values": RATES[:3]}, "epochs": 3}))
    taken: list[Any] = []

    def take_over(event):
        if isinstance(event, EpochDone) and not taken:
            backend = storage_at(url).backend()
            trial = backend.trials(backend.storage.get_study_id_from_name("study"))[1]
            owner = trial.system_attrs[records.WORKER]
            backend.write(trial._trial_id, Writes(state=TrialState.FAIL), owner)
            taken.append(trial.number)

    trainer = FakeTrainer()
    reason, events = work(url, on_event=take_over, trainer=trainer)
    assert reason == "done"
    [returned] = of(TrialReturned, events)
    assert (returned.ticket, "too late" in returned.cause) == (1, True)
    assert sorted(event.ticket for event in of(TrialDone, events)) == [0, 1, 2]
    assert [len(stack) for stack in trainer.stacks] == [3, 3]  # once more, for the one ticket
    assert completed(url) == {0: 1, 1: 1, 2: 1}


@pytest.mark.slow
def test_hearts_of_all_claimed_trials_beat_through_a_long_epoch(sqlite):
    prepare(sqlite, grid({"optimizer.learning_rate": {"values": RATES[:3]}, "epochs": 1}))
    slow = threading.Thread(
        target=work,
        args=(sqlite,),
        kwargs={"trainer": FakeTrainer(epoch_seconds=3.5), "heartbeat": 0.3},
    )
    slow.start()
    while load(sqlite).trials[0].state != TrialState.RUNNING:
        time.sleep(0.05)
    reason, events = work(sqlite, worker=1, grace=1.2, heartbeat=0.3)
    slow.join(timeout=30)
    assert (reason, of(TrialDone, events)) == ("done", [])
    assert completed(sqlite) == {0: 1, 1: 1, 2: 1}


def test_a_ticket_queued_twice_is_tried_once(tmp_path):
    """If two processes that make a study race in a storage without transactions."""
    url = f"journal:{tmp_path}/a"
    prepare(url, grid({"optimizer.learning_rate": {"values": RATES[:2]}, "epochs": 2}))
    storage = open_storage(url)
    study_id = storage.get_study_id_from_name("study")
    fixed = load(url).trials[1].system_attrs["fixed_params"]
    storage.create_new_trial(study_id, new_ticket(1, fixed))
    assert work(url)[0] == "done"
    assert completed(url) == {0: 1, 1: 1}
    void = load(url).trials[2]
    assert void.system_attrs[records.SETTLED] == records.DUPLICATE
