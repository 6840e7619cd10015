import numpy as np

from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import END_RATE, cosine_fall, steps


class CosineSchedule(Schedule):
    """Half a cosine wave over the whole training.

    Loshchilov and Hutter, "SGDR" (ICLR 2017), without restarts; Keras's `CosineDecay` with
    decay_steps = T and alpha = end_rate.
    """

    name = "cosine"
    formula = "lr0 · ((1 − end_rate) · (1 + cos(π t / T)) / 2 + end_rate)"
    keras = "`CosineDecay`"
    depends_on_total = True

    end_rate: float = END_RATE

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        wave = cosine_fall(steps(steps_per_epoch, epochs) / (epochs * steps_per_epoch))
        factor = (1.0 - self.end_rate) * wave + self.end_rate
        return (self.learning_rate * factor).astype(np.float32)
