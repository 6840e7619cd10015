"""What happens to one network over the epochs: running, stopped early, diverged or interrupted;
and its learning rates, from a table or from its own scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.errors import PlanError
from tuner.planning.plan import TrainingPlan
from tuner.schedules import Mode, Rates, Schedule, Tracker
from tuner.training.scores import FoldStatus

_COUNTED = ("running", "status", "score_epoch", "best", "wait")


class NetworkProgress:
    """Early stopping as `keras.callbacks.EarlyStopping` does it, and a stop on a loss that is NaN
    or infinite.

    Attributes:
        by_best_epoch: see `TrainingPlan`.
        running: whether the network still trains.
        score_epoch: the 1-based epoch the network is scored by: its best one if
            `by_best_epoch`, else its last. 0 before the first epoch.
        best: the best score so far, times -1 if the lowest is; wait: epochs since.
        weights: the weights at `score_epoch` once the network has ended, if they were asked for.
        snapshots: epoch (1-based) to the weights then.
    """

    def __init__(self, plan: TrainingPlan, mode: Mode) -> None:
        self._epochs = plan.epochs
        self._patience = plan.patience
        self.by_best_epoch = plan.by_best_epoch
        self._min_delta = plan.min_delta
        self._sign = 1.0 if mode == "max" else -1.0
        self.best = -math.inf
        self.wait = 0
        self.running = True
        self.status: FoldStatus = "interrupted"
        self.score_epoch = 0
        self.weights: list[NDArray[np.float32]] | None = None
        self.snapshots: dict[int, list[NDArray[np.float32]]] = {}

    def update(self, epoch: int, losses: tuple[float, float], score: float) -> bool:
        """Take `epoch` (from 0) in; True if its weights are now to be kept: those
        of a new best epoch, or the last ones of a network that is scored by its last.

        `losses` are training and validation loss, `score` the monitored validation score.
        """
        if not all(math.isfinite(loss) for loss in losses):
            self.running, self.status = False, "diverged"
            self.score_epoch = epoch + 1
            return True
        better = self._better(epoch, score)
        if better or not self.by_best_epoch:
            self.score_epoch = epoch + 1
        if self._patience is not None and self.wait >= self._patience and epoch > 0:
            self.running, self.status = False, "stopped"
        elif epoch + 1 == self._epochs:
            self.running, self.status = False, "completed"
        return better if self.by_best_epoch else not self.running

    def state(self) -> dict[str, Any]:
        """All that it has counted, as numbers and text; the weights are not in it."""
        return {name: getattr(self, name) for name in _COUNTED}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        for name in _COUNTED:
            setattr(self, name, state[name])

    def _better(self, epoch: int, score: float) -> bool:
        self.wait += 1
        if self._sign * score - self._min_delta > self.best or epoch == 0:
            self.best = self._sign * score
            self.wait = 0
            return True
        return False


#: Of one network: a table of its rates then takes 1 GB.
MOST_UPDATES = 2**28


class FixedRates:
    """The rates of a schedule that no score changes, for one network. Raises `PlanError` for too
    many, and for rates that are no numbers in float32."""

    def __init__(self, schedule: Schedule, epochs: int, steps: int) -> None:
        if epochs * steps > MOST_UPDATES:
            raise PlanError(
                f"a training may have at most {MOST_UPDATES:,} updates; got {epochs:,} epochs "
                f"of {steps:,}. Available: fewer epochs, or a larger batch_size"
            )
        with np.errstate(all="ignore"):
            self._rates = schedule.rates(steps, epochs).reshape(epochs, steps)
        if not np.isfinite(self._rates).all():
            raise PlanError(
                "learning rates must stay within float32, at most 3.4e+38; schedule "
                f"{schedule.name} does not from optimizer.learning_rate "
                f"{schedule.learning_rate:g}. Available: a lower rate"
            )

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
    tables: dict[tuple[int, int], FixedRates] = {}
    for plan, count in zip(plans, steps, strict=True):
        tracker = plan.schedule.tracker(count, mode)
        if tracker is None:
            # The folds of a trial share their plan, and mostly their number of steps.
            key = (id(plan), count)
            if key not in tables:
                tables[key] = FixedRates(plan.schedule, plan.epochs, count)
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
