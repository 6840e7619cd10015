"""Which candidates share a stack, and which of them share one training.

Both follow from plans, seeds and the shape of the data alone, never from workers, threads, time
or memory at hand: the last bits of a score depend on the composition of the stack it was trained
in. A search's tickets and scikit-learn's candidates are grouped by this one rule.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from tuner.data.dataset import Task
from tuner.planning.cost import Cost
from tuner.planning.plan import TrainingPlan
from tuner.training.kind import StackShape

#: Networks of a stack. A step of 20 small ones takes 0.63 times as long for each as a step of 5,
#: of 40 0.55 times (bench/RESULTS.md): not enough to leave other cores, or other workers, without
#: a stack. Fixed: their number must not matter to the last bits of a score.
MOST_NETWORKS = 24
#: Weights, gradients, optimizer variables and activations of a stack.
MOST_BYTES = 512 << 20
#: Heavy trainings on one fold that make a stack: fewer pay more for what each step costs whatever
#: its size than they save by reading their rows once.
LEAST_SHARING = 3

_NO_SEEDS: Mapping[int, Sequence[int]] = MappingProxyType({})


@dataclass(frozen=True)
class Stacking:
    """How a plan may train together with others.

    Attributes:
        kind: plans of equal kind may share a stack.
        training: plans with equal ones differ in nothing but epochs and may share one training,
            the longest; None: this plan trains on its own.
        most: trainings of one stack.
        update: None, or what heavy plans must have in common to share a stack on a single fold.
    """

    kind: Hashable
    training: Hashable | None
    most: int
    update: Hashable | None = None


def stacking_of(plan: TrainingPlan, task: Task, cost: Cost) -> Stacking:
    """How `plan` may train together with others, at the `cost` of one candidate over all folds.

    A heavy candidate fills a stack by itself: a stack of more is no faster and falls out of the
    cache. What then counts is reading rows, so those that go over the same ones in the same order
    and that one kernel can update share a stack on each fold.
    """
    most, update = MOST_NETWORKS // cost.networks, None
    if cost.heavy:
        total = plan.epochs if plan.schedule.depends_on_total else None
        most, update = 1, (plan.optimizer, plan.schedule, total)
    return Stacking(
        kind=(StackShape.of(plan, task), plan.batch_size),
        training=shared_training(plan),
        most=max(1, min(most, MOST_BYTES // max(1, cost.total_bytes))),
        update=update,
    )


def shared_training(plan: TrainingPlan) -> TrainingPlan | None:
    """What plans have in common that one training can serve, or None if `plan` needs its own.

    Plans that differ only in `epochs` are scored on the way of the longest, unless their schedules
    depend on the total, or they are scored by an epoch that a score chooses.
    """
    by_score = plan.patience is not None or plan.by_best_epoch
    if plan.depends_on_total or by_score:
        return None
    return replace(plan, epochs=1)


@dataclass(frozen=True, eq=False)
class Training:
    """One training of all folds, for one candidate or for several that differ only in epochs.

    Attributes:
        plan: of the candidate with the most epochs.
        first: the lowest candidate's number; the networks are seeded by it.
        epochs: candidate number to the epochs it is scored after.
    """

    plan: Any
    first: int
    epochs: Mapping[int, int]


@dataclass(frozen=True, eq=False)
class Stack:
    """`trainings` on the numbered ones of the folds: a network for each of both."""

    trainings: tuple[Training, ...]
    folds: tuple[int, ...]


def share_trainings(
    plans: Mapping[int, Any],
    stacking: Callable[[Any], Stacking],
    seeds: Mapping[int, Sequence[int]] = _NO_SEEDS,
) -> list[Training]:
    """The trainings that serve all candidates, in the order of their first one.

    Args:
        plans: candidate number, ascending, to what has `epochs` and a `stacking`.
        seeds: of candidates whose networks must begin from given ones, a fold each: these share a
            training only with candidates of the same.
    """
    shared: dict[Hashable, dict[int, Any]] = {}
    for number, plan in plans.items():
        training = stacking(plan).training
        own = number if training is None else training
        shared.setdefault((own, tuple(seeds.get(number, ()))), {})[number] = plan
    return [
        Training(
            plan=max(own.values(), key=lambda plan: int(plan.epochs)),
            first=min(own),
            epochs={number: plan.epochs for number, plan in own.items()},
        )
        for own in shared.values()
    ]


def cut_stacks(
    trainings: Sequence[Training],
    stacking: Callable[[Any], Stacking],
    folds: int,
    seeds: Mapping[int, Sequence[int]] = _NO_SEEDS,
) -> list[Stack]:
    """`trainings` on all `folds`, cut into stacks.

    Those of one stack are of one kind, and the shortest has at least half of the epochs of the
    longest. Stacks of a kind are as equal in size as they can be, so that they share traces.

    Args:
        stacking, seeds: as of `share_trainings`. Without given seeds no rows are shared.
    """
    everything = tuple(range(folds))
    kinds: dict[Hashable, list[Training]] = {}
    for training in trainings:
        kinds.setdefault(stacking(training.plan).kind, []).append(training)
    stacks: list[Stack] = []
    for similar in (part for kind in kinds.values() for part in _cut_by_epochs(kind)):
        on_same_rows: dict[Hashable, list[Training]] = {}
        for training in similar:
            update, own = stacking(training.plan).update, seeds.get(training.first)
            key: Hashable = None if update is None or own is None else (update, tuple(own))
            on_same_rows.setdefault(key, []).append(training)
        for key, group in on_same_rows.items():
            if key is not None and len(group) >= LEAST_SHARING:
                parts = _equal_parts(group, max(LEAST_SHARING, folds))
                stacks += [Stack(part, (fold,)) for part in parts for fold in everything]
            else:
                most = min(stacking(training.plan).most for training in group)
                stacks += [Stack(part, everything) for part in _equal_parts(group, most)]
    return stacks


def _cut_by_epochs(trainings: Iterable[Training]) -> list[list[Training]]:
    """By falling epochs (ties in their order), cut where less than half of a part's longest
    begins: a network that has ended still takes its share of every step."""
    parts: list[list[Training]] = []
    for training in sorted(trainings, key=lambda own: -own.plan.epochs):
        if not parts or 2 * training.plan.epochs < parts[-1][0].plan.epochs:
            parts.append([])
        parts[-1].append(training)
    return parts


def _equal_parts(group: Sequence[Training], most: int) -> list[tuple[Training, ...]]:
    count = -(-len(group) // most)
    size, longer = divmod(len(group), count)
    starts = [part * size + min(part, longer) for part in range(count + 1)]
    return [tuple(group[start:end]) for start, end in pairwise(starts)]
