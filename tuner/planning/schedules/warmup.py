from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.schedules.base import Schedule
from tuner.planning.values import whole


@dataclass(frozen=True)
class WarmupSchedule(Schedule):
    """A linear rise in front of another schedule. With W = warmup * steps_per_epoch and r the
    first rate of the schedule `after`,
    `rate(t) = r * (t + 1) / (W + 1)` for t < W, then `after` from its own step 0.

    Goyal et al., "Accurate, large minibatch SGD" (2017). The rise never stands still: it does not
    begin at 0 and step W, the first of `after`, continues the line. `after` gets the epochs
    that are left, so what depends on the total (cosine, ...) ends where the training ends.
    A warmup of at least as many epochs as the training has is cut off by its end.
    """

    name: ClassVar[str] = "warmup"

    after: Schedule
    warmup: int

    def __post_init__(self) -> None:
        self._store("warmup", whole("schedule.warmup", self.warmup))

    @property
    def depends_on_total(self) -> bool:  # type: ignore[override]
        """As the schedule behind the warmup: the rise itself does not."""
        return self.after.depends_on_total

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        rest = self.after.rates(steps_per_epoch, max(1, epochs - self.warmup))
        width = self.warmup * steps_per_epoch
        rise = rest[0] * (np.arange(1, width + 1) / (width + 1))
        table = np.concatenate([rise.astype(np.float32), rest])
        return table[: epochs * steps_per_epoch]
