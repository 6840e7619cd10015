"""Which trainings XLA compiles: a rule that follows from the plans and folds alone.

XLA makes a step up to twice as fast (it fuses the many small operations around the matrix
products) and costs a second or two for every new number of steps and batch size, where a trace
serves them all. Its results differ from the plain graph's in their last bits, so whether a
training is compiled must not depend on time, on the machine's load or on other trainings.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuner.data.dataset import Fold
from tuner.planning.plan import TrainingPlan
from tuner.training.batches import steps_of

#: Steps of a training from which compiling it has paid for itself: it saves 0.2 ms a step or more.
COMPILED_STEPS = 6000


def compiled(plans: Sequence[TrainingPlan], folds: Sequence[Fold]) -> bool:
    """Whether the stack of `plans` over `folds` is compiled: if its longest training has at
    least `COMPILED_STEPS` steps."""
    steps = max(steps_of(len(fold.train), plans[0].batch_size) for fold in folds)
    return steps * max(plan.epochs for plan in plans) >= COMPILED_STEPS
