"""Which scores a training takes, and the numbers that they become: means, and curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.planning.metrics import METRICS
from tuner.schedules import Mode

#: Metric to one score a network, `(N,)`.
Scores = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Measures:
    """Which scores to take. `summed` and `predicted` are metric names by kind (the loss always
    comes first), `objective` is the one that early stopping and plateau watch."""

    summed: tuple[str, ...]
    predicted: tuple[str, ...]
    objective: str

    @property
    def names(self) -> tuple[str, ...]:
        return ("loss", *self.summed, *self.predicted)

    @property
    def mode(self) -> Mode:
        return "max" if METRICS[self.objective].direction == "maximize" else "min"


@dataclass(frozen=True, eq=False)
class NetworkLogs:
    """An epoch's scores of every network, as `callback.model.network_logs` during
    `on_epoch_end`: metric to `(N,)`, NaN for networks that have ended."""

    epoch: int
    train: Scores
    validation: Scores


def means_over_rows(
    names: Sequence[str],
    sums: NDArray[np.float32],
    rows: Sequence[int],
    running: NDArray[np.bool_],
) -> Scores:
    """Sums `(metrics, N)` over `rows` of each network as means in float64; NaN for networks that
    have ended, or have no rows."""
    counts = np.where(running & (np.array(rows) > 0), rows, math.nan)
    return dict(zip(names, sums.astype(np.float64) / counts, strict=True))


def mean_over_networks(values: NDArray[np.float64]) -> float:
    """The mean over networks that ran."""
    ran = values[~np.isnan(values)]
    return float(ran.mean()) if len(ran) else math.nan


def curves_of(epochs: Sequence[Scores]) -> Scores:
    """Scores `(N,)` of each epoch and metric as curves `(epochs, N)`."""
    return {name: np.stack([own[name] for own in epochs]) for name in epochs[0]}


def epochs_of(curves: Scores) -> list[Scores]:
    """The inverse of `curves_of`."""
    epochs = len(next(iter(curves.values())))
    return [{name: curve[epoch] for name, curve in curves.items()} for epoch in range(epochs)]
