import numpy as np

from tuner.parameters import setting
from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import END_RATE, cosine_fall, steps

#: The first rate as a fraction of the peak: PyTorch's and fastai's div_factor is 25.
START = 1 / 25


class OneCycleSchedule(Schedule):
    """Up to the base rate, then down, over the whole training.

    Half a cosine wave up from `lr0 / 25` to lr0, reached after the share `peak` of the T steps,
    then half a cosine wave down to `end_rate * lr0`. With x = t / T and
    fall(u) = (1 + cos(pi * u)) / 2,

        x < peak:   rate = lr0 * (1 - (1 - 1/25) * fall(x / peak))
        otherwise:  rate = lr0 * ((1 - end_rate) * fall((x - peak) / (1 - peak)) + end_rate)

    Smith and Topin, "Super-convergence" (2017), in the cosine form of fastai and of PyTorch's
    `OneCycleLR`; as everywhere, lr0 is the highest rate.
    """

    name = "one_cycle"
    formula = "up from lr0 / 25 to lr0, then down to end_rate · lr0, both along a cosine"
    depends_on_total = True

    peak: float = setting(
        0.3, "Fraction of the training at which the rate peaks.", above=0, below=1
    )
    end_rate: float = END_RATE

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        x = steps(steps_per_epoch, epochs) / (epochs * steps_per_epoch)
        rise = 1.0 - (1.0 - START) * cosine_fall(x / self.peak)
        wave = cosine_fall((x - self.peak) / (1.0 - self.peak))
        fall = (1.0 - self.end_rate) * wave + self.end_rate
        return (self.learning_rate * np.where(x < self.peak, rise, fall)).astype(np.float32)
