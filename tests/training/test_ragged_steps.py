"""Networks of one stack may have different numbers of steps; whoever has no rows stands still."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.support import problems
from tuner.training import Trainer
from tuner.training.batches import BatchPlan, ValidationChunks


def test_batches_cover_every_row_once_and_mark_padding() -> None:
    train = [np.arange(10, 43, dtype=np.int32), np.arange(64, dtype=np.int32)]
    batches = BatchPlan(train, [1, 2], 16).epoch(0)
    assert batches.rows.shape == (4, 2, 16)
    assert batches.counts.tolist() == [[16, 16], [16, 16], [1, 16], [0, 16]]
    assert batches.full_steps == 2
    for network, rows in enumerate(train):
        real = [
            row
            for step in range(4)
            for row in batches.rows[step, network, : int(batches.counts[step, network])]
        ]
        assert sorted(real) == rows.tolist()


def test_the_order_changes_from_epoch_to_epoch_and_with_the_seed() -> None:
    train = [np.arange(64, dtype=np.int32)] * 2
    plan = BatchPlan(train, [1, 2], 16)
    first, second = plan.epoch(0).rows, plan.epoch(1).rows
    assert (first != second).any()
    assert (first[:, 0] != first[:, 1]).any()
    np.testing.assert_array_equal(first, BatchPlan(train, [1, 2], 16).epoch(0).rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "optimizer__momentum": 0.9, "optimizer__weight_decay": 0.1},
        {"optimizer": "adamw", "optimizer__learning_rate": 0.01},
        {"optimizer": "nadam"},
        {"optimizer": "ftrl"},
        {"optimizer": "adafactor"},
        {"model__batch_norm": True, "model__dropout": 0.3},
        {"model__l2": 0.1},
        {"embedding": "plr", "model__layers": 2, "model__skip_connections": True},
    ],
    ids=str,
)
def test_a_short_network_is_not_moved_by_the_steps_of_longer_ones(params: dict) -> None:
    """Momentum, moments, weight decay, step counts and batch-norm statistics all stand still:
    beside a network of four times its length it ends where it ends alone."""
    data, seeds = problems.dataset(), problems.seeds(2)
    short, long = problems.folds(16, 64)
    plan = problems.plan(**params)
    [beside] = Trainer(data, [short, long]).train([plan], [seeds], weights=True)
    [alone] = Trainer(data, [short]).train([plan], [seeds[:1]], weights=True)
    for a, b in zip(alone.weights[0], beside.weights[0], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    for name, values in alone.train.items():
        np.testing.assert_allclose(values[:, 0], beside.train[name][:, 0], rtol=1e-5)


def test_padding_rows_count_nowhere() -> None:
    """Row 0 stands in for padding: whatever it holds, a fold without it trains the same."""
    data = problems.dataset()
    poisoned = dataclasses.replace(data, x=data.x.copy())
    poisoned.x[0] = 1e6
    plan = problems.plan(model__batch_norm=True, batch_size=16)
    (fold,) = problems.folds(37)
    fold = dataclasses.replace(fold, train=fold.train[fold.train != 0])
    assert len(fold.train) % 16
    clean, dirty = (
        Trainer(rows, [fold]).train([plan], [problems.seeds(1)], weights=True)[0]
        for rows in (data, poisoned)
    )
    for a, b in zip(clean.weights[0], dirty.weights[0], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(clean.validation["loss"], dirty.validation["loss"])


def test_validation_in_chunks_scores_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    data, plan = problems.dataset(400), problems.plan()
    folds = [
        problems.Fold(np.arange(60, dtype=np.int32), np.arange(60, end, dtype=np.int32))
        for end in (400, 371)
    ]
    metrics = ("accuracy", "balanced_accuracy", "log_loss")
    [whole] = Trainer(data, folds, metrics=metrics).train([plan], [problems.seeds(2)])
    monkeypatch.setattr("tuner.training.batches.CHUNK_VALUES", 16 * 50)
    chunks = ValidationChunks.of([fold.validation for fold in folds], 8)
    assert len(chunks.rows) > 3
    [cut] = Trainer(data, folds, metrics=metrics).train([plan], [problems.seeds(2)])
    for name, values in whole.validation.items():
        np.testing.assert_allclose(values, cut.validation[name], rtol=1e-5)
