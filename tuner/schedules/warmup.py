from collections.abc import Mapping
from typing import Any

import numpy as np

from tuner.parameters import setting
from tuner.schedules.base import Mode, Rates, Schedule, Tracker


class WarmupSchedule(Schedule):
    """A linear rise before another schedule. With W = warmup * steps_per_epoch and r the
    first rate of the schedule `after`,
    `rate(t) = r * (t + 1) / (W + 1)` for t < W, then `after` from its own step 0.

    Goyal et al., "Accurate, large minibatch SGD" (2017). The rise never stands still: it does not
    begin at 0 and step W, the first of `after`, continues the line. `after` gets the epochs
    that are left, so what depends on the total (cosine, ...) ends where the training ends.
    A warmup of at least as many epochs as the training has is cut off by its end.
    """

    name = "warmup"

    after: Schedule
    warmup: int = setting(
        0, "Epochs of a linear rise of the rate in front of any schedule.", low=0, high=100_000
    )

    @property
    def depends_on_total(self) -> bool:  # type: ignore[override]
        """As the schedule behind the warmup: the rise itself does not."""
        return self.after.depends_on_total

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        left = max(1, epochs - self.warmup)
        width = self.warmup * steps_per_epoch
        risen = min(width, epochs * steps_per_epoch)
        rise = self.after.first_rate(steps_per_epoch, left) * (
            np.arange(1, risen + 1) / (width + 1)
        )
        table = np.concatenate([rise.astype(np.float32), self.after.rates(steps_per_epoch, left)])
        return table[: epochs * steps_per_epoch]

    def tracker(self, steps_per_epoch: int, mode: Mode) -> Tracker | None:
        behind = self.after.tracker(steps_per_epoch, mode)
        return None if behind is None else _WarmupTracker(self, steps_per_epoch, behind)


class _WarmupTracker:
    """The rise, then the tracker `behind` it, to which scores of the rise's epochs are not told."""

    def __init__(self, schedule: WarmupSchedule, steps_per_epoch: int, behind: Tracker) -> None:
        self._warmup = schedule.warmup
        self._rise = schedule.rates(steps_per_epoch, schedule.warmup).reshape(-1, steps_per_epoch)
        self._behind = behind
        self._epochs = 0

    def rates(self, epoch: int) -> Rates:
        if epoch < self._warmup:
            rise: Rates = self._rise[epoch]
            return rise
        return self._behind.rates(epoch - self._warmup)

    def update(self, score: float) -> None:
        self._epochs += 1
        if self._epochs > self._warmup:
            self._behind.update(score)

    def state(self) -> dict[str, Any]:
        return {**self._behind.state(), "epochs": self._epochs}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._epochs = state["epochs"]
        self._behind.restore(state)
