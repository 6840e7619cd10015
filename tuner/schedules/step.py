import numpy as np

from tuner.parameters import setting
from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import epoch_numbers


class StepSchedule(Schedule):
    """A drop every few epochs.

    Keras's `ExponentialDecay(..., staircase=True)` with decay_steps = every * steps_per_epoch.
    """

    name = "step"
    formula = "lr0 · drop^⌊e / every⌋"
    keras = "`ExponentialDecay(..., staircase=True)`"

    drop: float = setting(0.5, "Factor of every drop.", above=0, high=1)
    every: int = setting(10, "Epochs from drop to drop.", low=1)

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        drops = epoch_numbers(steps_per_epoch, epochs) // self.every
        return (self.learning_rate * self.drop ** drops.astype(np.float64)).astype(np.float32)
