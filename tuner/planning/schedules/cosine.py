from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule
from tuner.planning.schedules.clock import cosine_fall, steps


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """Half a cosine wave over the whole training of T steps:
    `rate(t) = lr0 * ((1 - end_rate) * (1 + cos(pi * t / T)) / 2 + end_rate)`.

    Loshchilov and Hutter, "SGDR" (ICLR 2017), without restarts; Keras's `CosineDecay` with
    decay_steps = T and alpha = end_rate.
    """

    name: ClassVar[str] = "cosine"
    depends_on_total: ClassVar[bool] = True

    end_rate: float = 0.0

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        wave = cosine_fall(steps(steps_per_epoch, epochs) / (epochs * steps_per_epoch))
        factor = (1.0 - self.end_rate) * wave + self.end_rate
        return (self.learning_rate * factor).astype(np.float32)
