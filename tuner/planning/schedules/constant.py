from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule


@dataclass(frozen=True)
class ConstantSchedule(Schedule):
    """`rate(t) = lr0`."""

    name: ClassVar[str] = "constant"

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        return np.full(epochs * steps_per_epoch, self.learning_rate, np.float32)
