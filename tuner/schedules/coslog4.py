import numpy as np

from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import cosine_fall, steps


class CosLog4Schedule(Schedule):
    """Four waves up and down over the whole training, each twice as long as the one before.

    The rate begins at 0 and is lr0 in the middle of each wave.

    Holzmueller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and boosted
    trees on tabular data" (RealMLP, NeurIPS 2024, arXiv 2407.04491).
    """

    name = "coslog4"
    formula = "lr0 · (1 − cos(2π · log₂(1 + 15 t / T))) / 2"
    depends_on_total = True

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        passed = steps(steps_per_epoch, epochs) / (epochs * steps_per_epoch)
        factor = 1.0 - cosine_fall(2.0 * np.log2(1.0 + 15.0 * passed))
        return (self.learning_rate * factor).astype(np.float32)
