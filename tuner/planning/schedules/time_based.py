from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule
from tuner.planning.schedules.clock import Per, clock


@dataclass(frozen=True)
class TimeSchedule(Schedule):
    """Time-based decay: `rate(t) = lr0 / (1 + decay * t)`.

    t counts updates (`per="step"`) as Keras's `SGD(decay=...)` did and its `InverseTimeDecay`
    with decay_steps=1 does, or whole epochs (`per="epoch"`) as textbooks write it.
    """

    name: ClassVar[str] = "time"

    decay: float = 0.001
    per: Per = "step"

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        t = clock(self.per, steps_per_epoch, epochs)
        return (self.learning_rate / (1.0 + self.decay * t)).astype(np.float32)
