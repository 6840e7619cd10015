"""Which candidates train together, and which of them share one training.

Follows from the plans, the seeds and the folds only: never from time, memory at hand or workers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from tuner.data.dataset import Fold, Task
from tuner.planning.cost import estimate
from tuner.planning.plan import TrainingPlan
from tuner.planning.sharing import cut_by_epochs, shared_training

#: Networks of one stack: beyond this, more of them make no step cheaper, and several stacks can
#: train at a time. Fixed: `n_jobs` must not matter to the last bits of a score.
MOST_NETWORKS = 24
#: Weights, gradients, optimizer variables and activations of one stack.
MOST_BYTES = 512 << 20
#: Trainings on one fold that make a stack: fewer pay more for what each step costs whatever its
#: size than they save by sharing rows.
LEAST_SHARING = 3


@dataclass(frozen=True)
class Training:
    """One training of all folds, for one candidate or for several that differ only in epochs.

    Attributes:
        plan: of the one with the most epochs.
        seeds: one a fold.
        epochs: candidate number to the epochs it asks for.
    """

    plan: TrainingPlan
    seeds: tuple[int, ...]
    epochs: Mapping[int, int]


def trainings(
    plans: Mapping[int, TrainingPlan], seeds: Mapping[int, Sequence[int]]
) -> list[Training]:
    """The trainings that serve all candidates, in the order of their first one.

    Candidates share one where they differ only in `epochs`, begin from the same seeds, have no
    patience, and a schedule whose first epochs are the same whatever their total.
    """
    shared: dict[tuple[Hashable, tuple[int, ...]], dict[int, TrainingPlan]] = {}
    for number, plan in plans.items():
        base = shared_training(plan)
        own = (number if base is None else base, tuple(seeds[number]))
        shared.setdefault(own, {})[number] = plan
    return [
        Training(
            plan=max(own.values(), key=lambda plan: plan.epochs),
            seeds=own_seeds,
            epochs={number: plan.epochs for number, plan in own.items()},
        )
        for (_, own_seeds), own in shared.items()
    ]


@dataclass(frozen=True)
class Stack:
    """`trainings` on the numbered ones of the folds: a network for each of both."""

    trainings: tuple[Training, ...]
    folds: tuple[int, ...]


def stacks(wanted: Sequence[Training], folds: Sequence[Fold], rows: int, task: Task) -> list[Stack]:
    """`wanted` on all `folds`, cut into stacks.

    A stack's trainings have one shape and batch size, its shortest at least half of the epochs
    of its longest (a network that has ended still takes its share of every step); it has at most
    `MOST_NETWORKS` networks and `MOST_BYTES` bytes, or one training where that is more. Stacks
    of one kind are as equal in size as they can be, so that they share a trace.

    Where steps are heavy a stack has no more networks than it takes to fill it. Then reading
    rows counts: trainings that go over the same ones, and one kernel can update, share a stack on
    one fold each; any other has one for itself, on all folds.
    """
    from tuner.training.shape import StackShape

    kinds: dict[Hashable, list[Training]] = {}
    for training in wanted:
        key = (StackShape.of(training.plan, task), training.plan.batch_size)
        kinds.setdefault(key, []).append(training)
    cut: list[Stack] = []
    for kind in kinds.values():
        for similar in cut_by_epochs(kind, lambda own: own.plan.epochs):
            cost = estimate(similar[0].plan, rows, folds)
            if cost.heavy:
                cut += _heavy(similar, len(folds))
                continue
            most = min(MOST_NETWORKS // len(folds), MOST_BYTES // max(1, cost.total_bytes))
            cut += [Stack(part, tuple(range(len(folds)))) for part in _parts(similar, most)]
    return cut


def _heavy(similar: Sequence[Training], folds: int) -> list[Stack]:
    alike: dict[Hashable, list[Training]] = {}
    for own in similar:
        total = own.plan.epochs if own.plan.schedule.depends_on_total else None
        key = (own.seeds, own.plan.optimizer, own.plan.schedule, total)
        alike.setdefault(key, []).append(own)
    cut: list[Stack] = []
    for group in alike.values():
        if len(group) < LEAST_SHARING:
            cut += [Stack((own,), tuple(range(folds))) for own in group]
        else:
            parts = _parts(group, max(LEAST_SHARING, folds))
            cut += [Stack(part, (fold,)) for part in parts for fold in range(folds)]
    return cut


def _parts(similar: Sequence[Training], most: int) -> list[tuple[Training, ...]]:
    count = -(-len(similar) // max(1, most))
    size = -(-len(similar) // count)
    return [tuple(similar[start : start + size]) for start in range(0, len(similar), size)]
