import numpy as np

from tuner.parameters import setting
from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import END_RATE, steps


class PolynomialSchedule(Schedule):
    """Polynomial decay over the whole training.

    Power 1 is a straight line. Keras's `PolynomialDecay` with decay_steps = T. The last step has
    t = T - 1, so it stays one step above the end.
    """

    name = "polynomial"
    formula = "lr0 · ((1 − end_rate) · (1 − t / T)^power + end_rate)"
    keras = "`PolynomialDecay`"
    depends_on_total = True

    power: float = setting(1.0, "Exponent of the polynomial; 1: a straight line.", above=0)
    end_rate: float = END_RATE

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        left = 1.0 - steps(steps_per_epoch, epochs) / (epochs * steps_per_epoch)
        factor = (1.0 - self.end_rate) * left**self.power + self.end_rate
        return (self.learning_rate * factor).astype(np.float32)
