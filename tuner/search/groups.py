"""A study's tickets in groups that train together, by `tuner.training.grouping`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuner.errors import UsageError
from tuner.search.constraints import known_before
from tuner.search.trainer import PlannerLike
from tuner.study.definition import StudyDefinition
from tuner.training.grouping import Training, cut_stacks, share_trainings


@dataclass(frozen=True, eq=False)
class Group:
    """Trainings that share a stack. A group is always trained as a whole.

    Attributes:
        refused: why its only candidate cannot be trained; None if it can.
        broken: it could, and breaks a constraint: see `tuner.search.constraints`.
    """

    trainings: tuple[Training, ...]
    refused: str | None = None
    broken: list[float] | None = None

    @property
    def tickets(self) -> list[int]:
        """Ascending."""
        return sorted(ticket for training in self.trainings for ticket in training.epochs)


def is_grouped(definition: StudyDefinition) -> bool:
    """Whether the study's candidates are known before they run and none ends because of
    another."""
    return definition.sampler.ready and not definition.pruner.prunes


def single(
    ticket: int,
    plan: Any,
    first: int | None = None,
    *,
    refused: str | None = None,
    broken: list[float] | None = None,
) -> Group:
    """A group of one ticket, seeded by the ticket `first` (None: itself)."""
    epochs = {ticket: 0 if plan is None else plan.epochs}
    return Group((Training(plan, ticket if first is None else first, epochs),), refused, broken)


def groups_of(
    candidates: Mapping[int, Mapping[str, Any]], definition: StudyDefinition, trainer: PlannerLike
) -> list[Group]:
    """The groups of all tickets, in the order of their lowest one. They follow from the tickets'
    parameters and the shape of the data, so that every worker comes to the same.

    Args:
        candidates: ticket to its varying parameters.
    """
    plans: dict[int, Any] = {}
    groups: list[Group] = []
    for ticket in sorted(candidates):
        try:
            plan = trainer.plan(definition.space.complete(candidates[ticket]))
        except UsageError as error:
            groups.append(single(ticket, None, refused=str(error)))
            continue
        if (known := known_before(definition, plan)) is not None:
            groups.append(single(ticket, None, refused=known[0], broken=known[1]))
        else:
            plans[ticket] = plan
    trainings = share_trainings(plans, trainer.stacking)
    stacks = cut_stacks(trainings, trainer.stacking, trainer.folds)
    groups += [Group(stack.trainings) for stack in stacks]
    return sorted(groups, key=lambda group: group.tickets[0])
