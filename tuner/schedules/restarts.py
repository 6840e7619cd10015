import numpy as np

from tuner.parameters import setting
from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import CYCLE_MULT, DECAY, PER, RESTART_EVERY, Per, clock, cycle_starts


class RestartsSchedule(Schedule):
    """Time-based decay whose rate is reset a number of times.

    The clock is set back to 0 after n = `restart_every` epochs, m = `restarts` times, at the
    start of epochs n, 2 n, ..., m n (counted from 0), so the first m runs last n epochs each.
    After the m-th restart there is none any more: the last run goes on decaying, from lr0 at
    epoch m n, to the end of the training however long that is. With m = 0 it is the schedule
    `time`. With cycle_mult c above 1 every run is c times as long as the one before (starts
    rounded to whole epochs): n, n + c n, n + c n + c^2 n, ...

    Only the rate is reset; weights and the optimizer's moments go on, as in SGDR.
    """

    name = "restarts"
    formula = "lr0 / (1 + decay · (t − t_r)), t_r the last restart"

    restart_every: int = RESTART_EVERY
    restarts: int = setting(3, "How often the rate is reset (m).", low=0)
    decay: float = DECAY
    cycle_mult: float = CYCLE_MULT
    per: Per = PER

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        t = clock(self.per, steps_per_epoch, epochs)
        starts = cycle_starts(self.restart_every, self.cycle_mult, epochs, self.restarts)
        starts = np.round(starts) * (steps_per_epoch if self.per == "step" else 1)
        since = t - starts[np.searchsorted(starts, t, side="right") - 1]
        return (self.learning_rate / (1.0 + self.decay * since)).astype(np.float32)
