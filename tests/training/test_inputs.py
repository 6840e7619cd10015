"""Inputs that are zero in every row are left out of training, and nothing else changes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.support import problems
from tuner.data.dataset import Dataset
from tuner.planning import TrainingPlan, plan_training
from tuner.training import Trainer
from tuner.training.initial_weights import network_weights
from tuner.training.stack_data import StackData, unused_weights_stay, used_inputs

FEATURES = 40
USED = [*range(3, 12), 30, 39]


def dataset(dtype: str = "float32") -> Dataset:
    base = problems.dataset()
    x = np.zeros((base.rows, FEATURES), dtype)
    x[:, USED] = np.random.default_rng(0).integers(0, 255, (base.rows, len(USED)))
    x = x / np.float32(255) if dtype == "float32" else x
    return dataclasses.replace(base, x=x, image_shape=None)  # type: ignore[arg-type]


def plan(**params: Any) -> TrainingPlan:
    named = {name.replace("__", "."): value for name, value in params.items()}
    return plan_training(
        {"model.layers": 1, "model.units": 8, "batch_size": 16, "epochs": 3, **named},
        features=FEATURES,
        outputs=problems.CLASSES,
        task="multiclass",
    )


def test_the_used_ones_are_found_and_filled_up_to_vectors() -> None:
    used = used_inputs(dataset().x)
    assert used is not None
    assert set(USED) < set(used)
    assert len(used) == 16
    assert used.tolist() == sorted(set(used))
    negative = np.zeros((3, 64), np.float32)
    negative[2, 63] = -1
    found = used_inputs(negative)
    assert found is not None
    assert 63 in found


@pytest.mark.parametrize(
    "x",
    [np.ones((4, 40)), np.eye(40)[:38], np.zeros((4, 10)), np.ones((4, 64)) * (np.arange(64) > 2)],
    ids=["all", "nearly all", "few features", "a vector's worth less"],
)
def test_where_that_leaves_out_next_to_nothing_all_are_used(x: np.ndarray) -> None:
    assert used_inputs(x.astype(np.float32)) is None


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_the_rows_in_memory_are_those_columns(dtype: str, scaling: Any) -> None:
    data = dataset(dtype)
    used = used_inputs(data.x)
    assert used is not None
    folds = problems.folds(33, 64)
    cut = StackData.of(data, folds, scaling, None, None, used)
    whole = StackData.of(data, folds, scaling, None, None, None)
    np.testing.assert_array_equal(cut.x, data.x[:, used])
    np.testing.assert_array_equal(whole.x, data.x)
    assert cut.x.dtype == whole.x.dtype == dtype
    if scaling == "standard":
        np.testing.assert_array_equal(cut.scale, whole.scale.numpy()[:, :, used])
        np.testing.assert_array_equal(cut.shift, whole.shift.numpy()[:, :, used])


def test_many_rows_are_copied_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.training.stack_data._ROWS", 7)
    data = dataset()
    used = used_inputs(data.x)
    assert used is not None
    cut = StackData.of(data, problems.folds(33), "none", None, None, used)
    np.testing.assert_array_equal(cut.x, data.x[:, used])


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"optimizer": name}, marks=pytest.mark.slow)
        for name in ("sgd", "adam", "nadam", "adamax", "adagrad", "adadelta", "rmsprop", "lion")
    ]
    + [
        {"optimizer": "sgd", "optimizer__momentum": 0.9, "optimizer__nesterov": True},
        {"optimizer": "adam", "optimizer__global_clipnorm": 0.1, "model__batch_norm": True},
        {"model__layers": 0},
        {"model__layers": 2, "model__dropout": 0.2, "early_stopping__patience": 1, "epochs": 6},
    ],
    ids=str,
)
def test_scores_and_all_weights_are_those_of_the_whole_network(params: dict[str, Any]) -> None:
    data, folds, seeds = dataset(), problems.folds(33, 64), problems.seeds(2)
    own = plan(optimizer__learning_rate=0.01, **params)
    assert unused_weights_stay(own)
    cut, whole = (
        Trainer(data, folds, inputs=inputs, scaling="standard").train(
            [own], [seeds], weights=True, snapshots=[(1,)]
        )[0]
        for inputs in (used_inputs(data.x), None)
    )
    np.testing.assert_array_equal(cut.score_epoch, whole.score_epoch)
    for name, values in whole.validation.items():
        np.testing.assert_allclose(cut.validation[name], values, rtol=1e-4, atol=1e-5)
    for ours, theirs in ((cut.weights, whole.weights), (cut.snapshots[1], whole.snapshots[1])):
        for mine, its in zip(ours, theirs, strict=True):
            for a, b in zip(mine, its, strict=True):
                assert a.shape == b.shape
                np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_a_rule_that_looks_at_a_whole_kernel_sees_all_inputs() -> None:
    for name in ("lamb", "adafactor", "muon"):
        weights = {"optimizer__weight_decay": 0.0} if name == "muon" else {}
        assert not unused_weights_stay(plan(optimizer=name, **weights))


@pytest.mark.parametrize(
    "params",
    [
        {"model__l2": 0.1},
        {"model__l1": 0.1},
        {"optimizer": "adamw", "optimizer__weight_decay": 0.1},
        {"optimizer": "ftrl"},
    ],
    ids=str,
)
def test_a_plan_that_moves_weights_without_a_gradient_sees_all_inputs(
    params: dict[str, Any],
) -> None:
    data, folds = dataset(), problems.folds(33)
    own = plan(epochs=1, **params)
    assert not unused_weights_stay(own)
    with pytest.raises(ValueError, match="sees all inputs"):
        Trainer(data, folds, inputs=used_inputs(data.x)).train([own], [problems.seeds(1)])
    moved = Trainer(data, folds).train([own], [problems.seeds(1)], weights=True)[0].weights[0][0]
    initial = network_weights(own.model, problems.seeds(1)[0])[0]
    unused = np.setdiff1d(np.arange(FEATURES), USED)
    assert (moved[unused] != initial[unused]).any(), "else the rule leaves out too much"
