"""The only schedule that needs the run's scores: rates come from a tracker, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule

Mode = Literal["min", "max"]


@dataclass(frozen=True)
class PlateauSchedule(Schedule):
    """Reduction on a plateau: after `patience` epochs without an improvement of the validation
    score by more than `min_delta`, `rate = max(rate * factor, min_rate)`; then `cooldown` epochs
    are not counted. Equal to `keras.callbacks.ReduceLROnPlateau` with min_lr = min_rate.

    `rates` is the table of a run that never stalls. In a real run each network has its own
    `tracker`, whose `rates` are written into the table before each epoch. The epochs of a `warmup`
    rise linearly as in WarmupSchedule and are not tracked.
    """

    name: ClassVar[str] = "plateau"
    depends_on_scores: ClassVar[bool] = True

    factor: float = 0.1
    patience: int = 10
    min_delta: float = 1e-4
    min_rate: float = 0.0
    cooldown: int = 0
    warmup: int = 0

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        table = np.full(epochs * steps_per_epoch, self.learning_rate, np.float32)
        width = self.warmup * steps_per_epoch
        rise = self.learning_rate * (np.arange(1, width + 1) / (width + 1))
        table[:width] = rise[: len(table)]
        return table

    def tracker(self, steps_per_epoch: int = 1) -> PlateauTracker:
        """A new tracker, before any epoch: one for each network."""
        return PlateauTracker(self, steps_per_epoch)


_COUNTED = ("rate", "best", "wait", "cooling", "epochs")


class PlateauTracker:
    """The state of one network's plateau. `rate` is the rate of the epoch to come.

    Rates are float32 and scores are compared as float32, as Keras does with its variable and
    its ops, so that both reduce in the same epochs to the same bits.
    """

    def __init__(self, schedule: PlateauSchedule, steps_per_epoch: int = 1) -> None:
        self.schedule = schedule
        self.steps_per_epoch = steps_per_epoch
        self.rate = float(np.float32(schedule.learning_rate))
        self.best: float | None = None
        self.wait = 0
        self.cooling = 0
        self.epochs = 0

    def rates(self, epoch: int) -> NDArray[np.float32]:
        """The rates of the epoch to come, number `epoch` (from 0): `(steps_per_epoch,)`."""
        if epoch < self.schedule.warmup:
            return self.schedule.rates(self.steps_per_epoch, epoch + 1)[-self.steps_per_epoch :]
        return np.full(self.steps_per_epoch, self.rate, np.float32)

    def update(self, score: float, mode: Mode) -> float:
        """Take the validation score of the epoch that ended; the rate of the next one."""
        self.epochs += 1
        if self.epochs <= self.schedule.warmup:
            return self.rate
        if self.cooling > 0:
            self.cooling -= 1
            self.wait = 0
        if self._improved(score, mode):
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
        return self.rate

    def state(self) -> dict[str, Any]:
        """All that it has counted, as numbers."""
        return {name: getattr(self, name) for name in _COUNTED}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        for name in _COUNTED:
            setattr(self, name, state[name])

    def _improved(self, score: float, mode: Mode) -> bool:
        if self.best is None:
            return True
        if mode == "min":
            return bool(np.float32(score + self.schedule.min_delta) < np.float32(self.best))
        return bool(np.float32(score - self.schedule.min_delta) > np.float32(self.best))
