"""Learning rates of a refit: those that the search's trial had, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.schedules.base import Schedule


@dataclass(frozen=True)
class FirstEpochs(Schedule):
    """The first epochs of `inner` as it runs over `total` epochs.

    A trial that early stopping ended after 12 of its 40 epochs is refitted with the first 12
    epochs of the schedule over 40, not with the whole schedule squeezed into 12.
    """

    name: ClassVar[str] = "first_epochs"

    inner: Schedule
    total: int

    def __post_init__(self) -> None:
        """Nothing to check: `inner` has been."""

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        total = max(self.total, epochs)
        return self.inner.rates(steps_per_epoch, total)[: epochs * steps_per_epoch]


@dataclass(frozen=True)
class RecordedRates(Schedule):
    """One rate an epoch, as recorded; after the last one it stays.

    For schedules that follow validation scores (plateau): a refit has no validation rows.
    """

    name: ClassVar[str] = "recorded_rates"

    recorded: tuple[float, ...]

    def __post_init__(self) -> None:
        """Nothing to check: these rates have been trained with."""

    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        numbers = np.minimum(np.arange(epochs), len(self.recorded) - 1)
        rates = np.asarray(self.recorded, dtype=np.float32)[numbers]
        return np.repeat(rates, steps_per_epoch)
