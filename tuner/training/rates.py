"""Each network's learning rates, epoch by epoch: from a table, or from its own scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.planning.plan import TrainingPlan
from tuner.schedules import Mode, Rates, Tracker


class _Table:
    """The rates of a schedule that no score changes."""

    def __init__(self, plan: TrainingPlan, steps: int) -> None:
        self._rates = plan.schedule.rates(steps, plan.epochs).reshape(plan.epochs, steps)

    def rates(self, epoch: int) -> Rates:
        rates: Rates = self._rates[epoch]
        return rates

    def update(self, score: float) -> None:
        """The table is fixed."""

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """There is nothing to go on from."""


def network_rates(plans: Sequence[TrainingPlan], steps: Sequence[int], mode: Mode) -> list[Tracker]:
    """The rates of N networks with `steps[i]` steps an epoch each.

    `mode` says which way the monitored score improves.
    """
    rates: list[Tracker] = []
    tables: dict[tuple[int, int], _Table] = {}
    for plan, count in zip(plans, steps, strict=True):
        tracker = plan.schedule.tracker(count, mode)
        if tracker is None:
            # The folds of a trial share their plan, and mostly their number of steps.
            key = (id(plan), count)
            if key not in tables:
                tables[key] = _Table(plan, count)
            tracker = tables[key]
        rates.append(tracker)
    return rates


def rates_table(
    rates: Sequence[Tracker], running: NDArray[np.bool_], epoch: int, steps: int
) -> NDArray[np.float32]:
    """`(steps, N)`: the rates of all networks in `epoch`; 0 if a network has no step left or
    has ended."""
    table = np.zeros((steps, len(rates)), np.float32)
    for network in np.flatnonzero(running).tolist():
        values = rates[network].rates(epoch)
        table[: len(values), network] = values
        table[len(values) :, network] = values[-1]
    return table
