"""The only schedule that needs the run's scores: rates come from a tracker, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tuner.parameters import setting
from tuner.schedules.base import Mode, Rates, Schedule


class PlateauSchedule(Schedule):
    """Reduced whenever the validation score stands still.

    After `patience` epochs without an improvement by more than `min_delta`,
    `rate = max(rate * factor, min_rate)`; then `cooldown` epochs are not counted. Equal to
    `keras.callbacks.ReduceLROnPlateau` with min_lr = min_rate.
    """

    name = "plateau"
    formula = "times `factor` whenever the validation score stands still"
    keras = "`callbacks.ReduceLROnPlateau`"

    factor: float = setting(0.1, "Factor of every reduction on a plateau.", above=0, below=1)
    patience: int = setting(10, "Epochs without improvement before a reduction.", low=0)
    min_delta: float = setting(1e-4, "Smallest improvement that counts.", low=0)
    min_rate: float = setting(0.0, "The rate is not reduced below this.", low=0)
    cooldown: int = setting(0, "Epochs after a reduction without counting.", low=0)

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        return np.full(epochs * steps_per_epoch, self.learning_rate, np.float32)

    def first_rate(self, steps_per_epoch: int, epochs: int) -> float:
        # Not rounded to float32 before the warmup is: stored scores were trained like this.
        return self.learning_rate

    def tracker(self, steps_per_epoch: int, mode: Mode) -> PlateauTracker:
        return PlateauTracker(self, steps_per_epoch, mode)


_COUNTED = ("rate", "best", "wait", "cooling")


class PlateauTracker:
    """The state of one network's plateau. `rate` is the rate of the epoch to come.

    Rates are float32 and scores are compared as float32, as Keras does with its variable and
    its ops, so that both reduce in the same epochs to the same bits.
    """

    def __init__(self, schedule: PlateauSchedule, steps_per_epoch: int, mode: Mode) -> None:
        self.schedule = schedule
        self.steps_per_epoch = steps_per_epoch
        self.mode = mode
        self.rate = float(np.float32(schedule.learning_rate))
        self.best: float | None = None
        self.wait = 0
        self.cooling = 0

    def rates(self, epoch: int) -> Rates:
        return np.full(self.steps_per_epoch, self.rate, np.float32)

    def update(self, score: float) -> None:
        if self.cooling > 0:
            self.cooling -= 1
            self.wait = 0
        if self._improved(score):
            self.best = score
            self.wait = 0
        elif self.cooling == 0:
            self.wait += 1
            if self.wait >= self.schedule.patience and self.rate > np.float32(
                self.schedule.min_rate
            ):
                lower = max(self.rate * self.schedule.factor, self.schedule.min_rate)
                self.rate = float(np.float32(lower))
                self.cooling = self.schedule.cooldown
                self.wait = 0

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _COUNTED}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name in _COUNTED:
            setattr(self, name, state[name])

    def _improved(self, score: float) -> bool:
        if self.best is None:
            return True
        delta = self.schedule.min_delta
        if self.mode == "min":
            return bool(np.float32(score + delta) < np.float32(self.best))
        return bool(np.float32(score - delta) > np.float32(self.best))
