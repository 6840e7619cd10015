"""Which candidates share a stack, and which a training: from their plans alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tuner.data.dataset import Fold
from tuner.planning import TrainingPlan, plan_training
from tuner.planning.cost import estimate
from tuner.training.grouping import (
    MOST_BYTES,
    MOST_NETWORKS,
    Stacking,
    Training,
    cut_stacks,
    share_trainings,
    stacking_of,
)

FOLDS = [Fold(np.arange(80, dtype=np.int32), np.zeros(0, np.int32)) for _ in range(5)]


def plan(**params: Any) -> TrainingPlan:
    named = {name.replace("__", "."): value for name, value in params.items()}
    return plan_training(
        {"model.layers": 1, "model.units": 8, **named}, features=4, outputs=3, task="multiclass"
    )


def stacking_on(folds: list[Fold]) -> Callable[[TrainingPlan], Stacking]:
    return lambda own: stacking_of(own, "multiclass", estimate(own, folds))


def shared(plans: list[TrainingPlan], seeds: list[int] | None = None) -> list[Training]:
    given = {i: [(seeds or [0] * len(plans))[i]] * 5 for i in range(len(plans))}
    return share_trainings(dict(enumerate(plans)), stacking_on(FOLDS), given)


def grouped(plans: list[TrainingPlan], seeds: list[int] | None = None) -> list[list[int]]:
    return [sorted(training.epochs) for training in shared(plans, seeds)]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"schedule": "time", "schedule__decay": 0.1},
        {"schedule": "exponential", "schedule__decay": 0.1, "schedule__warmup": 2},
    ],
)
def test_candidates_that_differ_only_in_epochs_share_a_training(params: dict[str, Any]) -> None:
    plans = [plan(epochs=epochs, **params) for epochs in (3, 9, 5)]
    (own,) = shared(plans)
    assert own.plan.epochs == 9
    assert own.first == 0
    assert own.epochs == {0: 3, 1: 9, 2: 5}
    assert grouped([*plans, plan(epochs=9, batch_size=64, **params)]) == [[0, 1, 2], [3]]


@pytest.mark.parametrize(
    "params",
    [
        {"schedule": "cosine"},
        {"schedule": "cosine", "schedule__warmup": 1},
        {"schedule": "one_cycle"},
        {"early_stopping__patience": 3},
        {"model__dropout": 0.1, "model__dropout_schedule": "cosine"},
    ],
)
def test_those_that_depend_on_their_total_do_not(params: dict[str, Any]) -> None:
    assert grouped([plan(epochs=epochs, **params) for epochs in (3, 5)]) == [[0], [1]]


def test_other_seeds_and_other_settings_do_not() -> None:
    assert grouped([plan(epochs=3), plan(epochs=5)], seeds=[1, 2]) == [[0], [1]]
    one, two = plan(epochs=3, model__dropout=0.1), plan(epochs=5, model__dropout=0.2)
    assert grouped([one, two]) == [[0], [1]]


def test_candidates_without_seeds_of_their_own_begin_from_those_of_the_first() -> None:
    plans = {4: plan(epochs=3), 7: plan(epochs=5)}
    (own,) = share_trainings(plans, stacking_on(FOLDS))
    assert (own.first, own.epochs) == (4, {4: 3, 7: 5})


def sizes(plans: list[TrainingPlan], folds: list[Fold] = FOLDS) -> list[int]:
    seeds = {i: [i] * len(folds) for i in range(len(plans))}
    stacking = stacking_on(folds)
    own = share_trainings(dict(enumerate(plans)), stacking, seeds)
    cut = cut_stacks(own, stacking, len(folds), seeds)
    assert all(stack.folds == tuple(range(len(folds))) for stack in cut)
    return [len(stack.trainings) for stack in cut]


def test_a_stack_has_one_shape_and_batch_size() -> None:
    plans = [
        plan(batch_size=batch, optimizer=optimizer, optimizer__learning_rate=rate)
        for batch in (16, 32)
        for optimizer in ("adam", "sgd")
        for rate in (0.1, 0.2, 0.3)
    ]
    assert sizes(plans) == [3, 3, 3, 3]


def test_stacks_are_bounded_and_equal_in_size() -> None:
    plans = [plan(optimizer__learning_rate=0.1 / (1 + i)) for i in range(60)]
    own = sizes(plans)
    assert own == [4] * 15
    assert all(size * len(FOLDS) <= MOST_NETWORKS for size in own)
    wide = [
        plan(model__units=4096, model__layers=2, optimizer__learning_rate=0.1 / (1 + i))
        for i in range(4)
    ]
    # Adam's two variables, the gradient and the weights, 4 bytes each, for 5 folds.
    assert MOST_BYTES < 4 * 4 * 4096 * 4096 * 5
    assert sizes(wide) == [1, 1, 1, 1]
    many = FOLDS * 40
    assert sizes(plans[:2], many) == [1, 1]


@pytest.mark.parametrize("count", [7, 9, 10, 13])
def test_no_stack_has_two_trainings_more_than_another_of_its_kind(count: int) -> None:
    own = sizes([plan(optimizer__learning_rate=0.1 / (1 + i)) for i in range(count)])
    assert sum(own) == count
    assert max(own) - min(own) <= 1
    assert len(own) == -(-count // 4)


def test_a_stack_does_not_carry_those_that_ended_long_ago() -> None:
    cosine = {"schedule": "cosine"}
    assert sizes([plan(epochs=epochs, **cosine) for epochs in (10, 20, 9, 40, 19)]) == [2, 2, 1]


def test_those_of_equal_epochs_keep_their_order() -> None:
    plans = [plan(epochs=epochs, schedule="cosine") for epochs in (5, 20, 10, 9, 20)]
    cut = cut_stacks(shared(plans), stacking_on(FOLDS), 5)
    assert [[own.first for own in stack.trainings] for stack in cut] == [[1, 4, 2], [3, 0]]


#: Wide enough that steps are heavy.
HEAVY = {"model__units": 512, "model__layers": 3, "batch_size": 64, "optimizer": "sgd"}


def heavy(*params: dict[str, Any], seeds: list[int] | None = None) -> list[tuple[list[int], Any]]:
    """Candidates and folds of each stack."""
    given = {number: [(seeds or [7] * len(params))[number]] * 5 for number in range(len(params))}
    plans = {number: plan(**{**HEAVY, **extra}) for number, extra in enumerate(params)}
    stacking = stacking_on(FOLDS)
    cut = cut_stacks(share_trainings(plans, stacking, given), stacking, 5, given)
    return [([n for part in stack.trainings for n in part.epochs], stack.folds) for stack in cut]


ALL = (0, 1, 2, 3, 4)
DRAWN = [{"initializer": name} for name in ("zeros", "he_normal", "he_uniform", "lecun_normal")]


def test_heavy_candidates_share_the_rows_of_a_fold() -> None:
    assert heavy(*DRAWN) == [([0, 1, 2, 3], (fold,)) for fold in ALL]
    twice = heavy(*DRAWN, *[{**own, "model__dropout": 0.1} for own in DRAWN])
    assert twice == [(part, (fold,)) for part in ([0, 1, 2, 3], [4, 5, 6, 7]) for fold in ALL]
    dropped = [{"model__dropout": 0.1 * i} for i in range(1, 8)]
    assert [len(numbers) for numbers, _ in heavy(*dropped)] == [4] * 5 + [3] * 5


def test_heavy_candidates_that_share_nothing_train_alone() -> None:
    alone = [([0], ALL), ([1], ALL), ([2], ALL), ([3], ALL)]
    assert heavy(*DRAWN[:2]) == alone[:2], "two pay more than they save"
    rates = [{"optimizer__learning_rate": 0.1 / (1 + i)} for i in range(4)]
    assert heavy(*rates) == alone, "one kernel cannot update them"
    assert heavy(*DRAWN, seeds=[1, 2, 3, 4]) == alone, "their rows come in other orders"
    own = share_trainings(
        {number: plan(**HEAVY, **extra) for number, extra in enumerate(DRAWN)}, stacking_on(FOLDS)
    )
    cut = cut_stacks(own, stacking_on(FOLDS), 5)
    assert [len(stack.trainings) for stack in cut] == [1] * 4, "seeds are each candidate's own"
    cosine = [{"schedule": "cosine", "epochs": epochs} for epochs in (40, 38, 36, 34)]
    assert heavy(*cosine) == alone, "their rates differ from step to step"
