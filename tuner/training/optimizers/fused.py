"""When one kernel may update a whole stacked variable, instead of an operation a term.

TensorFlow's own kernels for SGD and Adam pass over weights, gradient and state once, where the
terms of a formula pass over them a dozen times; they take their settings as scalars. Both round
alike: a network's weights are the same to the last bit whichever updated them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from tuner.planning.plan import TrainingPlan

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


def handle(variable: Any) -> Any:
    """What TensorFlow's kernels write to. Keras hands its optimizers the `tf.Variable` within a
    trainable variable, and its own variable for a slot."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
