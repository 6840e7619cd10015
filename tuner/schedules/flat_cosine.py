import numpy as np

from tuner.schedules.base import Rates, Schedule
from tuner.schedules.shared import cosine_fall, steps


class FlatCosineSchedule(Schedule):
    """The base rate for half of the training, then half a cosine wave down to 0.

    Holzmueller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and boosted
    trees on tabular data" (RealMLP, NeurIPS 2024, arXiv 2407.04491), there `flat_cos`.
    """

    name = "flat_cosine"
    formula = "lr0 · (1 + cos(π · (max(1, 2 t / T) − 1))) / 2"
    depends_on_total = True

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        passed = steps(steps_per_epoch, epochs) / (epochs * steps_per_epoch)
        factor = cosine_fall(np.maximum(1.0, 2.0 * passed) - 1.0)
        return (self.learning_rate * factor).astype(np.float32)
