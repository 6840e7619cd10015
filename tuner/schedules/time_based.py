import numpy as np

from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import DECAY, PER, Per, clock


class TimeSchedule(Schedule):
    """Time-based decay: the rate halves after 1 / decay updates or epochs.

    t counts updates (`per="step"`) as Keras's `SGD(decay=...)` did and its `InverseTimeDecay`
    with decay_steps=1 does, or whole epochs (`per="epoch"`) as textbooks write it.
    """

    name = "time"
    formula = "lr0 / (1 + decay · t)"
    keras = "`InverseTimeDecay(lr0, 1, decay)`"

    decay: float = DECAY
    per: Per = PER

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        t = clock(self.per, steps_per_epoch, epochs)
        return (self.learning_rate / (1.0 + self.decay * t)).astype(np.float32)
