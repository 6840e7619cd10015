"""Networks that go over the same rows in the same order: their batches are read once."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.support import problems
from tuner.data.dataset import Dataset, Fold
from tuner.planning import plan_training
from tuner.training import Trainer
from tuner.training.batches import BatchPlan, EpochBatches, ValidationChunks, same_rows
from tuner.training.stack import NetworkStack

SEED = problems.seeds(1)


def two_candidates(data: Dataset, fold: Fold, *plans: Any, **settings: Any) -> None:
    """Both `plans` in one stack on `fold`: rows read once, and each to the last bit what it is by
    itself."""
    trainer = Trainer(data, [fold], **settings)
    together = trainer.train(plans, [SEED] * 2, weights=True)
    for plan, own in zip(plans, together, strict=True):
        [alone] = trainer.train([plan], [SEED], weights=True)
        for ours, theirs in zip(own.weights[0], alone.weights[0], strict=True):
            np.testing.assert_array_equal(ours, theirs)
        for ours, theirs in ((own.train, alone.train), (own.validation, alone.validation)):  # type: ignore[assignment]
            assert set(ours) == set(theirs)
            for name in theirs:
                np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, err_msg=name)


def test_rows_are_the_same_where_fold_and_seed_are() -> None:
    one, other = problems.folds(33, 33)
    assert same_rows([one, one], [7, 7])
    assert not same_rows([one, other], [7, 7])
    assert not same_rows([one, one], [7, 8])


def test_shared_batches_are_those_of_each_network() -> None:
    train, validation = [np.arange(5, 42, dtype=np.int32)] * 3, [np.arange(9, dtype=np.int32)] * 3
    own, shared = (BatchPlan(train, [4] * 3, 16, shared).epoch(2) for shared in (False, True))
    assert shared.rows.shape == (3, 1, 16)
    np.testing.assert_array_equal(np.repeat(shared.rows, 3, axis=1), own.rows)
    np.testing.assert_array_equal(shared.counts, own.counts)
    chunks, once = (ValidationChunks.of(validation, 4, shared) for shared in (False, True))
    np.testing.assert_array_equal(np.repeat(once.rows, 3, axis=1), chunks.rows)
    np.testing.assert_array_equal(once.counts, chunks.counts)


@pytest.mark.slow
def test_a_stack_is_given_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    run_epoch = NetworkStack.run_epoch

    def spied(stack: NetworkStack, data: Any, batches: EpochBatches, *rest: Any) -> Any:
        given.append(batches.rows.shape[1])
        return run_epoch(stack, data, batches, *rest)

    monkeypatch.setattr(NetworkStack, "run_epoch", spied)
    plan = problems.plan(epochs=1)
    one, two = problems.folds(33, 64)
    Trainer(problems.dataset(), [one]).train([plan] * 2, [SEED] * 2)
    Trainer(problems.dataset(), [one]).train([plan] * 2, [[1], [2]])
    Trainer(problems.dataset(), [one, two]).train([plan] * 2, [[1, 1]] * 2)
    assert given == [1, 2, 4]


def slow(params: dict[str, Any]) -> Any:
    return pytest.param(params, marks=pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "optimizer__momentum": 0.9, "optimizer__nesterov": True},
        slow({"optimizer": "adamw", "optimizer__weight_decay": 0.1}),
        slow({"model__dropout": 0.3, "model__batch_norm": True}),
        {"model__units": 11, "model__dropout": 0.3},
        {"model__l2": 0.1, "loss": "categorical_crossentropy", "loss__label_smoothing": 0.1},
        slow({"loss": "mse", "optimizer": "nadam"}),
        {"model__layers": 0},
    ],
    ids=str,
)
def test_candidates_are_to_the_last_bit_what_they_are_alone(params: dict[str, Any]) -> None:
    (fold,) = problems.folds(37)
    two_candidates(
        problems.dataset(),
        fold,
        problems.plan(optimizer__learning_rate=0.01, **params),
        problems.plan(optimizer__learning_rate=0.05, **{**params, "epochs": 2}),
        metrics=("accuracy", "balanced_accuracy"),
    )


def test_with_weights_of_rows_and_scaled_inputs() -> None:
    (fold,) = problems.folds(64)
    weight = np.arange(90) % 3
    plans = problems.plan(initializer="he_normal"), problems.plan(initializer="zeros")
    two_candidates(problems.dataset(), fold, *plans, scaling="standard", sample_weight=weight)


def test_with_scaled_targets_and_several_outputs() -> None:
    data = problems.dataset()
    y = np.stack([data.x[:, 0] * 100 + 7, data.x[:, 1]], axis=1)
    data = dataclasses.replace(data, y=y.astype(np.float32), task="regression", classes=None)
    params = {"model.layers": 1, "model.units": 8, "batch_size": 16, "epochs": 3}
    plan = plan_training(params, features=data.features, outputs=2, task="regression")
    (fold,) = problems.folds(40)
    two_candidates(
        data, fold, plan, dataclasses.replace(plan, epochs=1), metrics=("mae",), objective="mae"
    )


@pytest.mark.slow
def test_a_trainer_on_some_folds_reads_the_same_memory() -> None:
    data, folds = problems.dataset(), problems.folds(33, 64, 50)
    whole = Trainer(data, folds, scaling="standard")
    part = whole.on_folds([2, 0])
    assert part.folds == (folds[2], folds[0])
    assert part._data.x is whole._data.x
    plan, seeds = problems.plan(), problems.seeds(3)
    [own] = part.train([plan], [[seeds[2], seeds[0]]], weights=True)
    [all_of_them] = whole.train([plan], [seeds], weights=True)
    for place, fold in enumerate([2, 0]):
        for ours, theirs in zip(own.weights[place], all_of_them.weights[fold], strict=True):
            np.testing.assert_array_equal(ours, theirs)
