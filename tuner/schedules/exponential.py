import numpy as np

from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import DECAY, PER, Per, clock


class ExponentialSchedule(Schedule):
    """Exponential decay.

    t counts updates (`per="step"`) or whole epochs (`per="epoch"`, as a LearningRateScheduler
    callback does). Keras's `ExponentialDecay(lr0, decay_steps, decay_rate)` is this with
    decay = -ln(decay_rate) / decay_steps.
    """

    name = "exponential"
    formula = "lr0 · exp(−decay · t)"
    keras = "`ExponentialDecay`, decay = −ln(decay_rate) / decay_steps"

    decay: float = DECAY
    per: Per = PER

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        t = clock(self.per, steps_per_epoch, epochs)
        return (self.learning_rate * np.exp(-self.decay * t)).astype(np.float32)
