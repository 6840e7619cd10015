"""Counts of rows, steps and bytes; parameters, products and variables: test_with_keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import KFold, ShuffleSplit

from tuner.data.dataset import Fold
from tuner.errors import PlanError
from tuner.planning import estimate, plan_training
from tuner.planning.plan import TrainingPlan


def plan(**params: Any) -> TrainingPlan:
    named = {name.replace("__", "."): value for name, value in params.items()}
    return plan_training(named, features=64, outputs=10, task="multiclass")


def folds_of(splitter: Any, rows: int) -> list[Fold]:
    x = np.zeros((rows, 1))
    return [Fold(a.astype(np.int32), b.astype(np.int32)) for a, b in splitter.split(x)]


def test_the_designs_digits_network() -> None:
    cost = estimate(plan(batch_size=32, epochs=20), 1797, 5)
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


@pytest.mark.parametrize(("rows", "k"), [(1797, 5), (100, 3), (7, 7), (10, 4)])
def test_k_means_scikit_learns_kfold(rows: int, k: int) -> None:
    made = plan(batch_size=8)
    assert estimate(made, rows, k) == estimate(made, rows, folds_of(KFold(k), rows))


def test_folds_of_any_splitter_count_their_own_rows() -> None:
    folds = folds_of(ShuffleSplit(3, train_size=20, test_size=50, random_state=0), 100)
    cost = estimate(plan(batch_size=8, model__layers=0), 100, folds)
    assert (cost.networks, cost.steps_per_epoch) == (3, 3)
    assert cost.multiply_adds == 3 * (20 * 2 + 50) * 640


def test_one_fold_trains_on_all_rows() -> None:
    cost = estimate(plan(batch_size=8, model__layers=0), 100, 1)
    assert (cost.networks, cost.steps_per_epoch) == (1, 13)
    assert cost.multiply_adds == 100 * 2 * 640


def test_a_batch_larger_than_the_rows_is_all_rows() -> None:
    cost = estimate(plan(batch_size=1000), 50, 5)
    assert cost.steps_per_epoch == 1
    assert cost.activation_bytes == estimate(plan(batch_size=40), 50, 5).activation_bytes


def test_dropout_and_batch_normalisation_keep_more() -> None:
    plain = estimate(plan(), 100, 5).activation_bytes
    more = estimate(plan(model__dropout=0.5, model__batch_norm=True), 100, 5).activation_bytes
    assert more - plain == 5 * 32 * 4 * 2 * 128


@pytest.mark.parametrize("folds", [0, -1, 11])
def test_impossible_folds_are_refused(folds: int) -> None:
    with pytest.raises(PlanError, match=f"at most the 10 rows; got {folds}"):
        estimate(plan(), 10, folds)
