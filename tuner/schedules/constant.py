import numpy as np

from tuner.schedules.base import Rates, Schedule


class ConstantSchedule(Schedule):
    """The base rate throughout."""

    name = "constant"
    formula = "lr0"
    keras = "a plain number"

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        return np.full(epochs * steps_per_epoch, self.learning_rate, np.float32)
