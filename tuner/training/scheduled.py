"""Settings of networks that follow a schedule: their values at every step, as the rates have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tuner.planning.plan import TrainingPlan
from tuner.training.early_stopping import FixedRates, rates_table
from tuner.training.layers import DropoutClock
from tuner.training.network import StackSettings


class ScheduledSettings:
    """Of N networks, all of the same `StackShape`, with `steps[i]` steps an epoch each.

    The value at a step is the setting's own times the schedule's factor at that step, rounded once.
    """

    def __init__(self, plans: Sequence[TrainingPlan], steps: Sequence[int]) -> None:
        names = [name for name, _ in plans[0].scheduled]
        self._base = {name: np.array([plan.base(name) for plan in plans]) for name in names}
        self._factors: dict[str, list[FixedRates]] = {name: [] for name in names}
        made: dict[tuple[str, int, int], FixedRates] = {}
        for plan, count in zip(plans, steps, strict=True):
            for name, schedule in plan.scheduled:
                # The folds of a trial share their plan, and mostly their number of steps.
                key = (name, id(plan), count)
                if key not in made:
                    made[key] = FixedRates(schedule, plan.epochs, count)
                self._factors[name].append(made[key])

    def tables(self, running: NDArray[np.bool_], epoch: int, steps: int) -> StackSettings:
        """What takes the place of the settings that follow a schedule, `(steps, N)` each; 0 if a
        network has ended."""
        values: dict[str, NDArray[np.floating]] = {
            name: base * rates_table(self._factors[name], running, epoch, steps)
            for name, base in self._base.items()
        }
        return StackSettings(
            optimizer=_only("weight_decay", values),
            layers=DropoutClock.levels(values["dropout"]) if "dropout" in values else {},
            loss=_only("label_smoothing", values),
        )


def at_step(step: Any, settings: StackSettings, tables: StackSettings) -> StackSettings:
    """`settings`, those that follow a schedule as `tables` have them at `step`; while tracing."""
    return StackSettings(
        *(
            {**own, **{name: tf.gather(t, step)[:, None, None] for name, t in changing.items()}}
            for own, changing in zip(settings, tables, strict=True)
        )
    )


def _only(name: str, values: dict[str, NDArray[np.floating]]) -> dict[str, NDArray[np.float32]]:
    return {name: values[name].astype(np.float32)} if name in values else {}
