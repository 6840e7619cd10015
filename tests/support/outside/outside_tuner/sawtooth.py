"""The schedule of docs/schedules.md."""

from __future__ import annotations

import numpy as np

from tuner.schedules import Rates, Schedule, setting


class Sawtooth(Schedule):
    """Down a straight line, again and again."""

    name = "sawtooth"
    formula = "lr0 · (1 − depth · (e mod teeth) / teeth)"

    teeth: int = setting(5, "Epochs of one tooth.", low=1)
    depth: float = setting(0.9, "How far a tooth falls.", above=0, below=1)

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        within = np.repeat(np.arange(epochs) % self.teeth, steps_per_epoch)
        return (self.learning_rate * (1 - self.depth * within / self.teeth)).astype(np.float32)
