"""Interrupted stacks of grid candidates go on as a whole."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Any

import pytest
from optuna.trial import TrialState
from test_checkpoints import artifacts as artifacts
from test_checkpoints import ends, files, resumed, stopping_after
from test_group_work import GRID, RATES, completed, start

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, load, of, prepare, work
from tuner.search.events import EpochDone, TrialDone, TrialReturned, WorkerWarning
from tuner.search.tickets import read_counts


def grid(params=GRID, **changes):
    return definition(params, sampler="grid", **changes)


def undisturbed(tmp_path, made):
    url = f"journal:{tmp_path}/whole"
    prepare(url, made)
    work(url)
    return ends(url)


def stopping_in_epoch(epoch):
    """Settings of `work` for a worker that is told to end in that epoch of any candidate."""
    seen = []

    def note(event):
        if isinstance(event, EpochDone):
            seen.append(event.epoch)

    return {"stop": lambda: epoch in seen, "on_event": note}


def test_a_group_goes_on_with_the_candidates_that_had_not_ended(url, tmp_path, artifacts):
    """Of two stacks of three trainings; half of the candidates end after epoch 3."""
    prepare(url, grid())
    _, events = work(url, **stopping_in_epoch(4))
    ended = {event.ticket for event in of(TrialDone, events)}
    assert (ended, len(of(TrialReturned, events))) == ({0, 1, 2}, 3)
    assert len(files(artifacts)) == 1
    trainer = FakeTrainer()
    _, events = work(url, trainer=trainer)
    assert sorted(trainer.begun) == [0, 4]
    assert Counter(event.epoch for event in of(EpochDone, events)) == {
        **dict.fromkeys((1, 2, 3), 6),
        4: 3,
        5: 6,
    }
    assert completed(url) == dict.fromkeys(range(12), 1)
    assert resumed(url) == {6: [4], 7: [4], 8: [4]}
    assert ends(url) == undisturbed(tmp_path, grid())
    assert files(artifacts) == []


@pytest.mark.slow
def test_a_killed_workers_group_goes_on(sqlite, tmp_path, artifacts):
    prepare(sqlite, grid())
    killed = start(sqlite, die_at=4, checkpoint_every=0.0)
    assert killed.wait(timeout=60) == -signal.SIGKILL
    assert len(files(artifacts)) == 1
    trainer = FakeTrainer()
    _, events = work(sqlite, trainer=trainer)
    assert sorted(trainer.begun) == [0, 3]
    last = [values[0] for values in ends(sqlite).values()]
    assert last == [values[0] for values in undisturbed(tmp_path, grid()).values()]
    assert of(WorkerWarning, events)  # of the takeovers
    assert all("tried again" in event.text for event in of(WorkerWarning, events))
    assert files(artifacts) == []


def test_candidates_that_are_grouped_anew_do_not_use_a_checkpoint(sqlite, artifacts):
    """More trials were asked for, so that the stack is another one."""
    space = {"optimizer.learning_rate": {"low": 0.01, "high": 1.0, "log": True}, "epochs": 5}
    made = definition(space, sampler="sklearn-random", trials=2)
    prepare(sqlite, made)
    work(sqlite, **stopping_after(4))
    assert len(files(artifacts)) == 1
    prepare(sqlite, made, trials=3)
    trainer = FakeTrainer()
    _, events = work(sqlite, trainer=trainer)
    assert trainer.begun == [0]
    assert read_counts(load(sqlite)).complete == 3
    assert files(artifacts) == []
    assert of(WorkerWarning, events) == []


def test_a_stack_that_raises_after_its_checkpoint_begins_anew(sqlite, tmp_path, artifacts):
    made = grid({"optimizer.learning_rate": {"values": RATES[:3]}, "epochs": 5})
    prepare(sqlite, made)
    work(sqlite, **stopping_in_epoch(3))
    fails: list[Any] = []

    def fail(params, epoch):
        if not fails:
            fails.append(epoch)
            raise RuntimeError("no room")

    trainer = FakeTrainer(fail=fail)
    work(sqlite, trainer=trainer)
    assert (fails, trainer.begun) == ([4], [3, 0])
    assert [len(stack) for stack in trainer.stacks] == [3, 3]  # not one by one
    assert resumed(sqlite) == {}
    assert ends(sqlite) == undisturbed(tmp_path, made)
    assert files(artifacts) == []


def test_a_stack_that_fell_apart_has_a_checkpoint_for_each_part(sqlite, tmp_path, artifacts):
    made = grid({"optimizer.learning_rate": {"values": RATES[:3]}, "epochs": 5}, retries=0)
    prepare(sqlite, made)

    def fail(params, epoch):
        if params["optimizer.learning_rate"] == RATES[1] and epoch == 3:
            raise RuntimeError("no room")

    names = []

    def note(event):
        if isinstance(event, EpochDone):
            names.extend(files(artifacts))

    work(sqlite, trainer=FakeTrainer(fail=fail), on_event=note)
    kinds = {name.rsplit("-", 1)[1] for name in names}
    assert kinds == {"0x3.npz", "0x1.npz", "1x1.npz", "2x1.npz"}
    counts = read_counts(load(sqlite))
    assert (counts.complete, counts.failed) == (2, 1)
    assert files(artifacts) == []


@pytest.mark.parametrize("at", [1, 5])
def test_nothing_is_left_of_a_group_that_ends(sqlite, artifacts, at):
    prepare(sqlite, grid({"optimizer.learning_rate": {"values": RATES[:3]}, "epochs": at}))
    work(sqlite)
    assert files(artifacts) == []
    assert {trial.state for trial in load(sqlite).trials} == {TrialState.COMPLETE}
