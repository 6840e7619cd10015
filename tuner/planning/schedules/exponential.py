from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule
from tuner.planning.schedules.clock import Per, clock


@dataclass(frozen=True)
class ExponentialSchedule(Schedule):
    """Exponential decay: `rate(t) = lr0 * exp(-decay * t)`.

    t counts updates (`per="step"`) or whole epochs (`per="epoch"`, as a LearningRateScheduler
    callback does). Keras's `ExponentialDecay(lr0, decay_steps, decay_rate)` is this with
    decay = -ln(decay_rate) / decay_steps.
    """

    name: ClassVar[str] = "exponential"

    decay: float = 0.001
    per: Per = "step"

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        t = clock(self.per, steps_per_epoch, epochs)
        return (self.learning_rate * np.exp(-self.decay * t)).astype(np.float32)
