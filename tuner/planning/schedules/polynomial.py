from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule
from tuner.planning.schedules.clock import steps


@dataclass(frozen=True)
class PolynomialSchedule(Schedule):
    """Polynomial decay over the whole training of T steps:
    `rate(t) = (lr0 - end) * (1 - t / T) ^ power + end`, with `end = end_rate * lr0`.

    Power 1 is a straight line. Keras's `PolynomialDecay` with decay_steps = T. The last step has
    t = T - 1, so it stays one step above the end.
    """

    name: ClassVar[str] = "polynomial"
    depends_on_total: ClassVar[bool] = True

    power: float = 1.0
    end_rate: float = 0.0

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        left = 1.0 - steps(steps_per_epoch, epochs) / (epochs * steps_per_epoch)
        factor = (1.0 - self.end_rate) * left**self.power + self.end_rate
        return (self.learning_rate * factor).astype(np.float32)
