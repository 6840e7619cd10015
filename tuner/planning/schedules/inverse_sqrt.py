from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule
from tuner.planning.schedules.clock import Per, clock


@dataclass(frozen=True)
class InverseSqrtSchedule(Schedule):
    """Inverse square root: `rate(t) = lr0 / sqrt(1 + decay * t)`.

    The reciprocal square root of Zhai et al., "Scaling Vision Transformers" (CVPR 2022), with
    timescale 1 / decay; with `decay = 1 / W` behind a warmup of W steps it is the decay of
    Vaswani et al., "Attention is all you need" (NIPS 2017), `lr0 * sqrt(W / step)`. t counts
    updates (`per="step"`) or whole epochs (`per="epoch"`).
    """

    name: ClassVar[str] = "inverse_sqrt"

    decay: float = 0.001
    per: Per = "step"

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        t = clock(self.per, steps_per_epoch, epochs)
        return (self.learning_rate / np.sqrt(1.0 + self.decay * t)).astype(np.float32)
