import numpy as np

from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import DECAY, PER, Per, clock


class InverseSqrtSchedule(Schedule):
    """Inverse square root of time.

    The reciprocal square root of Zhai et al., "Scaling Vision Transformers" (CVPR 2022), with
    timescale 1 / decay; with `decay = 1 / W` behind a warmup of W steps it is the decay of
    Vaswani et al., "Attention is all you need" (NIPS 2017), `lr0 * sqrt(W / step)`.
    """

    name = "inverse_sqrt"
    formula = "lr0 / √(1 + decay · t)"

    decay: float = DECAY
    per: Per = PER

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        t = clock(self.per, steps_per_epoch, epochs)
        return (self.learning_rate / np.sqrt(1.0 + self.decay * t)).astype(np.float32)
