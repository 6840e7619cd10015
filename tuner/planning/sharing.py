"""Which candidates may share a training, and which may share a stack: rules of the plans alone.

Whoever groups candidates (the search's tickets, scikit-learn's candidates) follows these, so that
both train the same things together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from tuner.planning.plan import TrainingPlan

T = TypeVar("T")


def shared_training(plan: TrainingPlan) -> TrainingPlan | None:
    """What plans have in common that one training can serve, or None where `plan` needs its own.

    Plans that differ only in `epochs` are scored on the way of the longest, unless their rates
    depend on the total, or a patience ends them where it may.
    """
    if plan.schedule.depends_on_total or plan.patience is not None:
        return None
    return replace(plan, epochs=1)


def cut_by_epochs(items: Iterable[T], epochs: Callable[[T], int]) -> list[list[T]]:
    """`items` by falling epochs (ties in their order), cut where less than half of a part's
    longest begins: a network that has ended still takes its share of every step."""
    parts: list[list[T]] = []
    for item in sorted(items, key=lambda own: -epochs(own)):
        if not parts or 2 * epochs(item) < epochs(parts[-1][0]):
            parts.append([])
        parts[-1].append(item)
    return parts
