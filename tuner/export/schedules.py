"""Learning rates of a refit: those that the search's trial had, epoch by epoch."""

from __future__ import annotations

import numpy as np

from tuner.schedules import Rates, Schedule


class FirstEpochs(Schedule):
    """The first epochs of `inner` as it runs over `total` epochs.

    A trial that early stopping ended after 12 of its 40 epochs is refitted with the first 12
    epochs of the schedule over 40, not with the whole schedule squeezed into 12.
    """

    name = "first_epochs"

    inner: Schedule
    total: int

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        total = max(self.total, epochs)
        return self.inner.rates(steps_per_epoch, total)[: epochs * steps_per_epoch]


class RecordedRates(Schedule):
    """One rate an epoch, as recorded; after the last one it stays.

    For schedules that follow validation scores (plateau): a refit has no validation rows.
    """

    name = "recorded_rates"

    recorded: tuple[float, ...]

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        numbers = np.minimum(np.arange(epochs), len(self.recorded) - 1)
        rates = np.asarray(self.recorded, dtype=np.float32)[numbers]
        return np.repeat(rates, steps_per_epoch)
