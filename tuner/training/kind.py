"""What a stack is built for: all that its trace depends on, besides the form of the data.

All of it follows from plans and folds alone, never from time, the machine's load or other
trainings: the last bits of a score depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Fold, Task
from tuner.optimizers import CLIPPING, OPTIMIZERS
from tuner.planning.layers import Layer
from tuner.planning.network import layers_of
from tuner.planning.plan import TrainingPlan
from tuner.training.batches import steps_of
from tuner.training.scores import Measures

#: Steps of a training from which compiling it has paid for itself: it saves 0.2 ms a step or more.
COMPILED_STEPS = 6000
#: Optimizers that have such a kernel, with its formula and order of operations equal to Keras's.
_WITH_KERNEL = frozenset({"sgd", "adam", "adamw"})


@dataclass(frozen=True)
class FusedUpdate:
    """What such a kernel wants fixed in the graph. `nesterov` is SGD's."""

    nesterov: bool


def fused_update(plans: Sequence[TrainingPlan], steps: Sequence[int]) -> FusedUpdate | None:
    """How to update networks that train as `plans`, one a network, on folds of `steps` steps an
    epoch; None if one kernel cannot: another optimizer, or networks that differ in a setting,
    in the rate of some step, or in how many steps they have made."""
    first = plans[0]
    optimizer, schedule = first.optimizer, first.schedule
    if optimizer.name not in _WITH_KERNEL or optimizer.setting("amsgrad"):
        return None
    rates_differ = schedule.depends_on_scores or (
        schedule.depends_on_total and len({plan.epochs for plan in plans}) > 1
    )
    alike = all(plan.optimizer == optimizer and plan.schedule == schedule for plan in plans)
    if len(plans) > 1 and (rates_differ or not alike or len(set(steps)) > 1):
        return None
    return FusedUpdate(nesterov=bool(optimizer.setting("nesterov")))


@dataclass(frozen=True)
class StackShape:
    """The static part of a plan; everything else enters the graph as data. Candidates of equal
    shape can share a stack, and a trace. `width` is the most values that a layer has for a row,
    `factors` are the names of an optimizer plan's."""

    features: int
    outputs: int
    layers: tuple[Layer, ...]
    width: int
    task: Task
    loss: str
    label_smoothing: bool
    dropout: bool
    regularized: bool
    optimizer: str
    switches: tuple[tuple[str, float | bool], ...]
    clip: str | None
    weight_decay: bool
    scheduled: tuple[str, ...]
    reads_rows: bool
    factors: tuple[str, ...]
    weight_averaging: str | None

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """For each trainable weight the `factors` that its updates are multiplied by."""
        return tuple(
            tuple(name for name in self.factors if name.split(".")[1] in weight.groups)
            for layer in self.layers
            for weight in layer.weights
            if weight.trained
        )

    @classmethod
    def of(cls, plan: TrainingPlan, task: Task, features: int | None = None) -> StackShape:
        """Of networks that see so many `features`; None: all of the plan's."""
        model, settings = plan.model, dict(plan.optimizer.settings)
        if features is not None:
            model = replace(model, features=features)
        layers = layers_of(model)
        switches = OPTIMIZERS[plan.optimizer.name].switches
        return cls(
            features=model.features,
            outputs=model.outputs,
            layers=layers,
            width=max(model.features, *(layer.kept for layer in layers)),
            task=task,
            loss=plan.loss.name,
            label_smoothing=plan.loss.label_smoothing > 0,
            dropout=model.dropout > 0 and len(model.units) > 0,
            regularized=model.l1 > 0 or model.l2 > 0,
            optimizer=plan.optimizer.name,
            switches=tuple((name, settings[name]) for name in switches),
            clip=next((name for name in CLIPPING if settings.get(name) is not None), None),
            weight_decay=settings.get("weight_decay") is not None,
            scheduled=tuple(name for name, _ in plan.scheduled),
            reads_rows=model.reads_rows,
            factors=tuple(name for name, _ in plan.optimizer.factors),
            weight_averaging=None if plan.averaging is None else plan.averaging.kind,
        )


@dataclass(frozen=True)
class StackKind:
    """Stacks of equal kind share a trace.

    Attributes:
        shape: of every network.
        networks: N.
        metrics: names of summed metrics, besides the loss.
        predict: whether an epoch gives the predictions of the validation rows too.
        validate: False if no network has validation rows, which spares the trace a third.
        compiled: let XLA compile it, anew for each number of steps and batch size.
        fused: see `fused_update`.
        one_input: all networks go over the same rows: see `tuner.training.batches.same_rows`.
    """

    shape: StackShape
    networks: int
    metrics: tuple[str, ...]
    predict: bool
    validate: bool
    compiled: bool
    fused: FusedUpdate | None
    one_input: bool

    @classmethod
    def of(
        cls,
        plans: Sequence[TrainingPlan],
        folds: Sequence[Fold],
        task: Task,
        measures: Measures,
        inputs: NDArray[np.intp] | None,
        one_input: bool,
    ) -> StackKind:
        """For `plans`, one a network, on `folds` in turn; `inputs`: those that networks see."""
        shape = StackShape.of(plans[0], task, None if inputs is None else len(inputs))
        steps = [steps_of(len(fold.train), plans[0].batch_size) for fold in folds]
        return cls(
            shape=shape,
            networks=len(plans),
            metrics=measures.summed,
            predict=bool(measures.predicted),
            validate=any(len(fold.validation) for fold in folds),
            compiled=compiled(plans, folds),
            fused=fused_update(plans, steps),
            one_input=one_input,
        )


def compiled(plans: Sequence[TrainingPlan], folds: Sequence[Fold]) -> bool:
    """Whether XLA compiles the stack of `plans` over `folds`: if its longest training has at least
    `COMPILED_STEPS` steps.

    XLA makes a step up to twice as fast (it fuses the many small operations around the matrix
    products) and costs a second or two for every new number of steps and batch size, where a trace
    serves them all. Its results differ from the plain graph's in their last bits. Its cosines and
    small products took a step of embedded networks two to four times as long: those stay plain.
    """
    if plans[0].model.embedding is not None:
        return False
    steps = max(steps_of(len(fold.train), plans[0].batch_size) for fold in folds)
    return steps * max(plan.epochs for plan in plans) >= COMPILED_STEPS
