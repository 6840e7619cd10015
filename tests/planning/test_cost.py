"""Counts of rows, steps and bytes; parameters, products and variables: test_with_keras."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import KFold, ShuffleSplit

from tuner.data.dataset import Fold
from tuner.planning import estimate, plan_training
from tuner.planning.plan import TrainingPlan


def plan(**params: Any) -> TrainingPlan:
    named = {name.replace("__", "."): value for name, value in params.items()}
    return plan_training(named, features=64, outputs=10, task="multiclass")


def folds_of(splitter: Any, rows: int) -> list[Fold]:
    x = np.zeros((rows, 1))
    return [Fold(a.astype(np.int32), b.astype(np.int32)) for a, b in splitter.split(x)]


FIVE_OF_100 = folds_of(KFold(5), 100)


def test_the_designs_digits_network() -> None:
    cost = estimate(plan(batch_size=32, epochs=20), folds_of(KFold(5), 1797))
    assert cost.networks == 5
    assert cost.parameters == 64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10
    # 1,438 training rows at most.
    assert cost.steps_per_epoch == 45
    assert cost.steps == 900
    forward = 64 * 64 + 64 * 64 + 64 * 10
    backward = 2 * forward - 64 * 64
    assert cost.multiply_adds == 4 * 1797 * (forward + backward) + 1797 * forward
    assert cost.weight_bytes == 5 * 4 * cost.parameters
    assert cost.state_bytes == 3 * cost.weight_bytes
    assert cost.activation_bytes == 5 * 32 * 4 * (64 + 2 * 128 + 20)
    assert cost.total_bytes == cost.weight_bytes + cost.state_bytes + cost.activation_bytes


def test_folds_of_any_splitter_count_their_own_rows() -> None:
    folds = folds_of(ShuffleSplit(3, train_size=20, test_size=50, random_state=0), 100)
    cost = estimate(plan(batch_size=8, model__layers=0), folds)
    assert (cost.networks, cost.steps_per_epoch) == (3, 3)
    assert cost.multiply_adds == 3 * (20 * 2 + 50) * 640


def test_one_fold_trains_on_all_rows() -> None:
    everything = Fold(np.arange(100, dtype=np.int32), np.zeros(0, np.int32))
    cost = estimate(plan(batch_size=8, model__layers=0), [everything])
    assert (cost.networks, cost.steps_per_epoch) == (1, 13)
    assert cost.multiply_adds == 100 * 2 * 640


def test_a_batch_larger_than_the_rows_is_all_rows() -> None:
    folds = folds_of(KFold(5), 50)
    cost = estimate(plan(batch_size=1000), folds)
    assert cost.steps_per_epoch == 1
    assert cost.activation_bytes == estimate(plan(batch_size=40), folds).activation_bytes


def test_dropout_and_batch_normalisation_keep_more() -> None:
    plain = estimate(plan(), FIVE_OF_100).activation_bytes
    more = estimate(plan(model__dropout=0.5, model__batch_norm=True), FIVE_OF_100).activation_bytes
    assert more - plain == 5 * 32 * 4 * 2 * 128
