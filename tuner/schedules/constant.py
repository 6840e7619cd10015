from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.schedules.base import Rates, Schedule


@dataclass(frozen=True)
class ConstantSchedule(Schedule):
    """`rate(t) = lr0`."""

    name = "constant"
    help = "The base rate throughout."
    formula = "lr0"
    keras = "a plain number"

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        return np.full(epochs * steps_per_epoch, self.learning_rate, np.float32)
