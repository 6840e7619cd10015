from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule
from tuner.planning.schedules.clock import epoch_numbers


@dataclass(frozen=True)
class StepSchedule(Schedule):
    """Step decay: `rate(e) = lr0 * drop ^ floor(e / every)`, e the number of the epoch from 0.

    Keras's `ExponentialDecay(..., staircase=True)` with decay_steps = every * steps_per_epoch.
    """

    name: ClassVar[str] = "step"

    drop: float = 0.5
    every: int = 10

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        drops = epoch_numbers(steps_per_epoch, epochs) // self.every
        return (self.learning_rate * self.drop ** drops.astype(np.float64)).astype(np.float32)
