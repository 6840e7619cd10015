"""Which candidates share a training, and where a stack is cut."""

from __future__ import annotations

import pytest

from tuner.planning import plan_training
from tuner.planning.sharing import cut_by_epochs, shared_training


def plan(**params: object) -> object:
    named = {name.replace("__", "."): value for name, value in params.items()}
    return plan_training(named, features=4, outputs=3, task="multiclass")


def test_plans_that_differ_only_in_epochs_share() -> None:
    assert shared_training(plan(epochs=5)) == shared_training(plan(epochs=9))
    assert shared_training(plan(epochs=5)) != shared_training(plan(epochs=5, batch_size=64))


@pytest.mark.parametrize("alone", [{"schedule": "cosine"}, {"early_stopping__patience": 3}])
def test_plans_whose_course_depends_on_their_length_do_not(alone: dict) -> None:
    assert shared_training(plan(epochs=5, **alone)) is None


def test_parts_hold_no_less_than_half_of_their_longest_and_keep_the_order_of_ties() -> None:
    items = [("a", 5), ("b", 20), ("c", 10), ("d", 9), ("e", 20)]
    parts = cut_by_epochs(items, lambda item: item[1])
    assert parts == [[("b", 20), ("e", 20), ("c", 10)], [("d", 9), ("a", 5)]]
