"""Which candidates train in one stack, and which of them share one training.

Both follow from the tickets' parameters and the shape of the data alone, never from workers,
time or what is settled already: the last bits of a score depend on the composition of the stack
it was trained in, and every worker has to come to the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tuner.errors import UsageError
from tuner.parameters.info import Value
from tuner.planning.sharing import cut_by_epochs
from tuner.search.trainer import Stacking
from tuner.study.definition import StudyDefinition

#: Networks of one stack: beyond this, more of them make no step cheaper.
MOST_NETWORKS = 64
#: Parts that the candidates of one kind are cut into where that makes no step dearer, so that
#: several workers have something to do. Fixed: the number of workers must not matter.
PARTS = 8


@dataclass(frozen=True, eq=False)
class Training:
    """One training of all folds, for one candidate or for several that differ only in epochs.

    Attributes:
        plan: what the trainer made of the candidate with the most epochs.
        first: the lowest ticket; the networks are seeded by it.
        epochs: ticket to the epochs it is scored after.
    """

    plan: Any
    first: int
    epochs: Mapping[int, int]


@dataclass(frozen=True, eq=False)
class Group:
    """Trainings that share a stack. A group is always trained as a whole.

    Attributes:
        refused: why its only candidate cannot be trained; None where it can.
    """

    trainings: tuple[Training, ...]
    refused: str | None = None

    @property
    def tickets(self) -> list[int]:
        """Ascending."""
        return sorted(ticket for training in self.trainings for ticket in training.epochs)


def is_grouped(definition: StudyDefinition) -> bool:
    """Whether the study's candidates are known before they run and none ends because of
    another."""
    return definition.sampler.ready and not definition.pruner.prunes


class PlannerLike(Protocol):
    """The part of a `TrainerLike` that the rule asks."""

    def plan(self, params: Mapping[str, Value]) -> Any: ...

    def stacking(self, plan: Any) -> Stacking: ...


def groups_of(
    candidates: Mapping[int, Mapping[str, Any]], definition: StudyDefinition, trainer: PlannerLike
) -> list[Group]:
    """The groups of all tickets, in the order of their lowest one.

    Candidates of one kind (shape and batch size, see `Stacking.kind`) are sorted by falling
    epochs, cut where less than half of the longest begins (a network that has ended still costs
    its share of every step), and each part into stacks of sizes as equal as they can be.

    Args:
        candidates: ticket to its varying parameters.
    """
    kinds: dict[Hashable, list[Training]] = {}
    groups: list[Group] = []
    for training in _trainings(candidates, definition, trainer, groups):
        kinds.setdefault(trainer.stacking(training.plan).kind, []).append(training)
    for kind in kinds.values():
        kind.sort(key=lambda own: own.first)
        for similar in cut_by_epochs(kind, lambda own: int(own.plan.epochs)):
            groups += [Group(part) for part in _parts(similar, trainer)]
    return sorted(groups, key=lambda group: group.tickets[0])


def _trainings(
    candidates: Mapping[int, Mapping[str, Any]],
    definition: StudyDefinition,
    trainer: PlannerLike,
    refused: list[Group],
) -> list[Training]:
    """The trainings that serve all candidates; those that cannot be trained go to `refused`."""
    shared: dict[Hashable, dict[int, Any]] = {}
    for ticket in sorted(candidates):
        try:
            plan = trainer.plan(definition.space.complete(candidates[ticket]))
        except UsageError as error:
            refused.append(Group((Training(None, ticket, {ticket: 0}),), str(error)))
            continue
        key = trainer.stacking(plan).training
        shared.setdefault(("alone", ticket) if key is None else key, {})[ticket] = plan
    return [
        Training(
            plan=max(plans.values(), key=lambda plan: int(plan.epochs)),
            first=min(plans),
            epochs={ticket: plan.epochs for ticket, plan in plans.items()},
        )
        for plans in shared.values()
    ]


def _parts(similar: list[Training], trainer: PlannerLike) -> list[tuple[Training, ...]]:
    limits = [trainer.stacking(training.plan) for training in similar]
    most = min(own.most for own in limits)
    wanted = max(-(-len(similar) // PARTS), *(own.least for own in limits))
    count = -(-len(similar) // max(1, min(most, wanted)))
    short, longer = divmod(len(similar), count)
    parts, start = [], 0
    for part in range(count):
        end = start + short + (part < longer)
        parts.append(tuple(similar[start:end]))
        start = end
    return parts
