"""The stacks that a study's trials will be trained in, and what each costs, were none pruned."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tuner.data import Dataset, Fold
from tuner.errors import PlanError
from tuner.planning import TrainingPlan
from tuner.search.groups import groups_of, is_grouped
from tuner.search.trainer import Planner
from tuner.study.definition import StudyDefinition

#: Candidates whose cost stands for all, if they are not known before they run.
SAMPLE = 100
#: Bytes that a worker holds besides its data and a stack: TensorFlow, mostly.
WORKER_BYTES = 700 << 20


@dataclass(frozen=True)
class Stack:
    """Networks that train together.

    Attributes:
        kind: stacks of equal kind share a trace.
        plans: one a training; each is trained on all folds.
        networks: trainings times folds.
        epochs: of the longest training.
        steps: updates of the whole stack.
        multiply_adds: of all epochs; a network that ends before the others takes its share of
            every step all the same.
        bytes: weights, gradients, optimizer variables and activations.
    """

    kind: Hashable
    plans: tuple[TrainingPlan, ...] = field(repr=False)
    networks: int
    epochs: int
    steps: int
    multiply_adds: int
    bytes: int


@dataclass(frozen=True)
class Work:
    """A study's work. The stacks looked at stand for `share` times as many.

    Attributes:
        trials: how many the study shall have.
        candidates: how many were looked at; `refused`: of these, those that cannot train.
        parameters, epochs: least and most of a candidate.
        stacks: those of the candidates looked at.
        grouped: whether stacks hold several candidates.
        data_bytes: of the rows, as every worker holds them.
    """

    trials: int
    candidates: int
    refused: int
    parameters: tuple[int, int]
    epochs: tuple[int, int]
    stacks: tuple[Stack, ...]
    grouped: bool
    data_bytes: int
    share: float

    def all(self, of: Callable[[Stack], int]) -> int:
        """The sum over all stacks, those that were not looked at included."""
        return round(sum(map(of, self.stacks)) * self.share)

    @property
    def stack_count(self) -> int:
        return self.all(lambda stack: 1)

    @property
    def bytes(self) -> int:
        """Of the largest stack."""
        return max(stack.bytes for stack in self.stacks)

    def counts(self) -> dict[str, Any]:
        """Of all trials together, were none pruned; `bytes` of one worker's largest stack."""
        return {
            "parameters": list(self.parameters),
            "epochs": list(self.epochs),
            "networks": self.all(lambda stack: stack.networks),
            "stacks": self.stack_count,
            "networks_per_stack": list(_span([stack.networks for stack in self.stacks])),
            "steps": self.all(lambda stack: stack.steps),
            "multiply_adds": self.all(lambda stack: stack.multiply_adds),
            "bytes": self.bytes,
            "data_bytes": self.data_bytes,
            "worker_bytes": WORKER_BYTES + self.data_bytes + self.bytes,
            "candidates": self.candidates,
            "refused": self.refused,
        }


def forecast_work(
    definition: StudyDefinition, dataset: Dataset, folds: Sequence[Fold], total: int
) -> Work:
    """The work of the study's `total` trials on its data.

    Ready candidates that train in groups are all looked at, others by an even sample of them, and
    those that a sampler will choose by random draws.

    Raises `PlanError` if no candidate can train.
    """
    planner = Planner(dataset, folds)
    grouped = is_grouped(definition)
    chosen = _candidates(definition, total, every=grouped)
    plans, refused = [], []
    for params in chosen:
        try:
            plans.append(planner.plan(params))
        except PlanError as error:
            refused.append(str(error))
    if not plans:
        raise PlanError(f"no candidate of space {definition.space.name} can train: {refused[0]}")
    parts = [(plan,) for plan in plans]
    if grouped:
        groups = groups_of(dict(enumerate(chosen)), definition, planner)
        parts = [
            tuple(own.plan for own in group.trainings) for group in groups if not group.refused
        ]
    costs = [planner.cost(plan) for plan in plans]
    return Work(
        trials=total,
        candidates=len(chosen),
        refused=len(refused),
        parameters=_span([cost.parameters for cost in costs]),
        epochs=_span([plan.epochs for plan in plans]),
        stacks=tuple(_stack(part, planner, len(folds)) for part in parts),
        grouped=grouped,
        data_bytes=dataset.x.nbytes + dataset.y.nbytes,
        share=1.0 if grouped else total / len(plans),
    )


def _stack(plans: tuple[TrainingPlan, ...], planner: Planner, folds: int) -> Stack:
    costs = [planner.cost(plan) for plan in plans]
    epochs = max(plan.epochs for plan in plans)
    return Stack(
        kind=planner.stacking(plans[0]).kind,
        plans=plans,
        networks=len(plans) * folds,
        epochs=epochs,
        steps=max(cost.steps_per_epoch for cost in costs) * epochs,
        multiply_adds=sum(cost.multiply_adds for cost in costs) * epochs,
        bytes=sum(cost.total_bytes for cost in costs),
    )


def _candidates(definition: StudyDefinition, total: int, *, every: bool) -> list[Mapping[str, Any]]:
    """Whole candidates: of those that are ready `every` one or evenly spaced ones, else random
    draws."""
    space = definition.space
    if definition.sampler.ready:
        ready = definition.candidates(total)
        step = 1 if every else max(1, len(ready) // SAMPLE)
        return [space.complete(own) for own in ready[::step]]
    import optuna

    from tuner.storage.quiet import quiet_optuna

    quiet_optuna()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=definition.seed))
    return [space.suggest(study.ask()) for _ in range(SAMPLE)]


def _span(values: Sequence[int]) -> tuple[int, int]:
    return min(values), max(values)
