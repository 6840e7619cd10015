import numpy as np

from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import (
    CYCLE_MULT,
    END_RATE,
    RESTART_EVERY,
    cosine_fall,
    cycle_starts,
    steps,
)


class CosineRestartsSchedule(Schedule):
    """Half a cosine wave, again and again (SGDR).

    Cycle i is `restart_every * cycle_mult^i` epochs long; with u the share of the present cycle
    that has passed (0 <= u < 1), the rate is that of `cosine` with u for t / T. It restarts as
    long as the training runs.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (ICLR 2017).
    Keras's `CosineDecayRestarts` with first_decay_steps = restart_every * steps_per_epoch,
    t_mul = cycle_mult, m_mul = 1 and alpha = end_rate.
    """

    name = "cosine_restarts"
    formula = "as `cosine` over cycles of restart_every · cycle_multⁱ epochs"
    keras = "`CosineDecayRestarts` (`t_mul` = cycle_mult)"

    restart_every: int = RESTART_EVERY
    cycle_mult: float = CYCLE_MULT
    end_rate: float = END_RATE

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        t = steps(steps_per_epoch, epochs)
        first = self.restart_every * steps_per_epoch
        starts = cycle_starts(first, self.cycle_mult, len(t))
        cycle = np.searchsorted(starts, t, side="right") - 1
        passed = (t - starts[cycle]) / (first * self.cycle_mult**cycle)
        wave = cosine_fall(passed)
        factor = (1.0 - self.end_rate) * wave + self.end_rate
        return (self.learning_rate * factor).astype(np.float32)
