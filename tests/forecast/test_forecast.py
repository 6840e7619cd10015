"""What a study will cost: its stacks, their work, and the time it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.fake_trainer import FakeModel, FakeTrainer
from tests.support.studies import definition, space
from tuner.errors import PlanError
from tuner.forecast import REFERENCE, Speed, calibrate, forecast_work, typical
from tuner.planning.cost import estimate
from tuner.search.groups import groups_of
from tuner.search.trainer import Planner
from tuner.study.data import load_study_data
from tuner.training.callbacks import start

GRID = {
    "initializer": {"choices": ["zeros", "he_normal", "glorot_uniform"]},
    "batch_size": {"values": [16, 32]},
    "epochs": {"values": [2, 4]},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """60 rows of 4 features and 3 classes, in 3 folds."""
    path = tmp_path_factory.mktemp("data") / "a.npz"
    np.savez(path, X=np.arange(240.0).reshape(60, 4), y=np.arange(60) % 3)
    return load_study_data(definition(data__uri=f"npz:{path}", folds__k=3))


def work_of(data, params, **changes):
    made = definition(params, **changes)
    return forecast_work(made, *data, made.total_trials(None))  # type: ignore[call-arg]


def test_a_sampled_study_has_one_stack_a_trial(data):
    params = {"optimizer.learning_rate": {"low": 0.1, "high": 1.0}, "epochs": 3, "batch_size": 10}
    work = work_of(data, params, trials=7)
    assert (work.trials, work.stack_count, work.counts()["networks"], work.grouped) == (
        7,
        7,
        21,
        False,
    )
    dataset, folds = data
    planner = Planner(dataset, folds)
    made = planner.plan(space(params).complete({"optimizer.learning_rate": 0.5}))
    cost = estimate(made, folds)
    assert (work.counts()["steps"], work.counts()["multiply_adds"]) == (
        7 * cost.steps,
        7 * 3 * cost.multiply_adds,
    )
    assert work.counts()["steps"] == 7 * 3 * 4  # 40 training rows in batches of 10
    assert work.bytes == cost.total_bytes
    assert work.parameters == (cost.parameters, cost.parameters)
    assert (work.epochs, work.refused) == ((3, 3), 0)
    assert work.data_bytes >= 60 * 5


def test_random_epochs_are_counted_by_their_mean(data):
    params = {"epochs": {"type": "int", "low": 1, "high": 9}, "batch_size": 40}
    work = work_of(data, params, trials=1000)
    assert work.epochs == (1, 9)
    assert work.stack_count == 1000
    assert 4000 < work.counts()["steps"] < 6000


def test_a_grids_stacks_are_those_that_the_search_makes(data):
    made = definition(GRID, sampler="grid")
    work = work_of(data, GRID, sampler="grid")
    ready = dict(enumerate(made.candidates(12)))
    groups = groups_of(ready, made, Planner(*data))
    assert (work.trials, work.candidates, work.grouped) == (12, 12, True)
    assert work.stack_count == len(groups) == 2  # batch sizes
    # Candidates that differ in epochs alone share the training of the longer one.
    assert sum(len(group.trainings) for group in groups) == 6
    assert work.counts()["networks"] == 6 * 3
    assert [stack.networks for stack in work.stacks] == [9, 9]
    assert [stack.epochs for stack in work.stacks] == [4, 4]
    assert work.counts()["steps"] == 4 * 3 + 4 * 2  # 40 rows by 16, by 32
    assert work.epochs == (2, 4)


def test_a_grid_with_a_pruner_trains_one_candidate_at_a_time(data):
    work = work_of(data, GRID, sampler="grid", pruner="median")
    assert (work.stack_count, work.counts()["networks"], work.grouped) == (12, 36, False)


@pytest.mark.parametrize("pruner", ["none", "median"])
def test_candidates_that_cannot_train_are_counted(data, pruner):
    params = {"loss": {"choices": ["auto", "binary_crossentropy"]}, "epochs": 2}
    work = work_of(data, params, sampler="grid", pruner=pruner)
    assert (work.candidates, work.refused, len(work.stacks)) == (2, 1, 1)
    with pytest.raises(PlanError, match="no candidate of space lines can train: "):
        work_of(data, {**params, "loss": "binary_crossentropy"}, sampler="grid", pruner=pruner)


SPEED = Speed(step=0.01, rate=1e6, trace=2.0, start=5.0, trial=0.1, measured=False)


def test_seconds_follow_from_steps_multiply_adds_and_workers(data):
    params = {"optimizer.learning_rate": {"low": 0.1, "high": 1.0}, "epochs": 3, "batch_size": 10}
    work = work_of(data, params, trials=8)
    each = 12 * 0.01 + work.counts()["multiply_adds"] / 8 / 1e6
    assert SPEED.stack(work.stacks[0]) == pytest.approx(each)
    for workers in (1, 4):
        expected = 5.0 + 2.0 + (8 * each + 8 * 0.1) / workers
        assert SPEED.seconds(work, workers) == pytest.approx(expected)
    # More workers than stacks are of no use, and none is quicker than the longest stack.
    assert SPEED.seconds(work, 8) == SPEED.seconds(work, 100) == pytest.approx(7.0 + each + 0.1)


def test_each_kind_of_stack_is_traced_once_a_worker(data):
    work = work_of(data, {**GRID, "epochs": 2}, sampler="grid")
    bare = sum(SPEED.stack(stack) for stack in work.stacks) + 6 * 0.1
    assert SPEED.seconds(work, 1) == pytest.approx(5.0 + 2 * 2.0 + bare)
    longest = max(SPEED.stack(stack) for stack in work.stacks)
    assert SPEED.seconds(work, 2) == pytest.approx(5.0 + 2.0 + max(bare / 2, longest))


def test_no_number_of_workers_is_quicker_than_the_longest_stack(data):
    params = {"initializer": "zeros", "epochs": {"values": [1, 8, 40]}, "schedule": "cosine"}
    work = work_of(data, params, sampler="grid")
    longest = SPEED.stack(max(work.stacks, key=lambda stack: stack.epochs))
    assert SPEED.seconds(work, 3) == pytest.approx(5.0 + 2.0 + longest)


def test_a_calibration_scales_the_stated_rate(data):
    """By a trainer whose epochs take 2 s, its very first one 7 s more."""
    work = work_of(data, {"epochs": 4, "batch_size": 10}, trials=3)
    stack = typical(work)
    clock, epochs = [0.0], list[Any]()

    class Slow(FakeTrainer):
        def train(self, plans, seeds, *, callbacks=(), state=None):
            assert [len(own) for own in seeds] == [3] * len(plans)
            model = FakeModel()
            start(callbacks, model, epochs=4)  # type: ignore[arg-type]
            for epoch in range(1, 5):
                clock[0] += 2.0 if epochs else 9.0
                epochs.append(epoch)
                for callback in callbacks:
                    callback.on_epoch_end(epoch - 1)
                if model.stop_training:
                    break
            return []

    speed = calibrate(Slow(), stack, folds=3, patience=5.0, now=lambda: clock[0])
    assert epochs == [1, 1, 2, 3]  # until the patience was over
    assert speed.stack(stack) == pytest.approx(4 * 2.0)
    assert speed.step / REFERENCE.step == pytest.approx(REFERENCE.rate / speed.rate)
    assert (speed.trace, speed.measured) == (pytest.approx(7.0), True)


def test_the_typical_stack_is_the_one_of_the_median_time(data):
    params = {"initializer": "zeros", "epochs": {"values": [1, 8, 40]}, "model.dropout": 0.1}
    work = work_of(data, {**params, "schedule": "cosine"}, sampler="grid")
    assert [stack.epochs for stack in work.stacks] == [1, 8, 40]
    assert typical(work).epochs == 8


@pytest.mark.slow
def test_planning_needs_no_tensorflow():
    import subprocess
    import sys

    code = "import sys, tuner.forecast; print({'tensorflow', 'keras'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == "set()", ended.stderr
