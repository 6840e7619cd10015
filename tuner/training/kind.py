"""What a stack is built for: all that its trace depends on, besides the form of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.data.dataset import Fold, Task
from tuner.planning.plan import TrainingPlan
from tuner.training.batches import steps_of
from tuner.training.compiling import compiled
from tuner.training.inputs import UsedInputs
from tuner.training.measures import Measures
from tuner.training.optimizers import FusedUpdate, fused_update
from tuner.training.shape import StackShape


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
        fused: see `tuner.training.optimizers.fused_update`.
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
        inputs: UsedInputs | None,
        one_input: bool,
    ) -> StackKind:
        """For `plans`, one a network, on `folds` in turn; `inputs`: those that networks see."""
        shape = StackShape.of(plans[0], task)
        steps = [steps_of(len(fold.train), plans[0].batch_size) for fold in folds]
        return cls(
            shape=shape if inputs is None else replace(shape, features=len(inputs)),
            networks=len(plans),
            metrics=measures.summed,
            predict=bool(measures.predicted),
            validate=any(len(fold.validation) for fold in folds),
            compiled=compiled(plans, folds),
            fused=fused_update(plans, steps),
            one_input=one_input,
        )
