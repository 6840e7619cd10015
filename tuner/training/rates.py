"""Each network's learning rates, epoch by epoch: from a table, or from its own scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tuner.planning.plan import TrainingPlan


class NetworkRates(Protocol):
    """The rates of one network."""

    def epoch(self, epoch: int) -> NDArray[np.float32]:
        """`(steps_per_epoch,)`: the rates of `epoch` (from 0, within the network's own)."""

    def update(self, score: float) -> None:
        """Hear the network's validation score after an epoch."""

    def state(self) -> dict[str, Any]:
        """What `restore` puts back, as numbers; empty where nothing depends on the run."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""


class _Table:
    def __init__(self, plan: TrainingPlan, steps: int) -> None:
        self._rates = plan.schedule.rates(steps, plan.epochs).reshape(plan.epochs, steps)

    def epoch(self, epoch: int) -> NDArray[np.float32]:
        rates: NDArray[np.float32] = self._rates[epoch]
        return rates

    def update(self, score: float) -> None:
        """The table is fixed."""

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


class _Tracked:
    """A schedule whose rates depend on the run: written between epochs."""

    def __init__(self, plan: TrainingPlan, steps: int, mode: Literal["min", "max"]) -> None:
        self._tracker = plan.schedule.tracker(steps)  # type: ignore[attr-defined]
        self._mode = mode

    def epoch(self, epoch: int) -> NDArray[np.float32]:
        rates: NDArray[np.float32] = self._tracker.rates(epoch)
        return rates

    def update(self, score: float) -> None:
        self._tracker.update(score, self._mode)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._tracker.state()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        self._tracker.restore(state)


def network_rates(
    plans: Sequence[TrainingPlan], steps: Sequence[int], mode: Literal["min", "max"]
) -> list[NetworkRates]:
    """The rates of N networks with `steps[i]` steps an epoch each.

    `mode` says which way the monitored score improves.
    """
    rates: list[NetworkRates] = []
    tables: dict[tuple[int, int], _Table] = {}
    for plan, count in zip(plans, steps, strict=True):
        if plan.schedule.depends_on_scores:
            rates.append(_Tracked(plan, count, mode))
        else:
            # The folds of a trial share their plan, and mostly their number of steps.
            key = (id(plan), count)
            if key not in tables:
                tables[key] = _Table(plan, count)
            rates.append(tables[key])
    return rates


def rates_table(
    rates: Sequence[NetworkRates], running: NDArray[np.bool_], epoch: int, steps: int
) -> NDArray[np.float32]:
    """`(steps, N)`: the rates of all networks in `epoch`; 0 where a network has no step left or
    has ended."""
    table = np.zeros((steps, len(rates)), np.float32)
    for network in np.flatnonzero(running).tolist():
        values = rates[network].epoch(epoch)
        table[: len(values), network] = values
        table[len(values) :, network] = values[-1]
    return table
