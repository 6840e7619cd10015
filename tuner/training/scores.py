"""Which scores a training takes, epoch by epoch, and what it gives back: scores per epoch and fold,
never a model object."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Task
from tuner.planning.fold_means import mean_fold_curve
from tuner.planning.metrics import MetricInfo, check_metric, metric_direction
from tuner.schedules import Mode
from tuner.training.state import RunState

FoldStatus = Literal["completed", "stopped", "diverged", "interrupted"]


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
        return "max" if metric_direction(self.objective) == "maximize" else "min"


def measures_of(
    names: Sequence[str], objective: str, task: Task, own: Sequence[MetricInfo] = ()
) -> tuple[Measures, dict[str, MetricInfo]]:
    """Which scores a training takes, and the metrics among them that need predictions.

    Args:
        names: metrics without the loss, the objective among them unless it is the loss.
        own: those that are in no table.

    Raises PlanError for a metric that does not exist or does not fit `task`.
    """
    known = {info.name: info for info in own}
    infos = {name: known.get(name) or check_metric(name, task) for name in (*names, objective)}
    predicted = {name: infos[name] for name in names if infos[name].score}
    summed = tuple(name for name in names if name not in predicted)
    return Measures(summed, tuple(predicted), objective), predicted


@dataclass(frozen=True, eq=False)
class NetworkLogs:
    """An epoch's scores of every network, as `callback.model.network_logs` during
    `on_epoch_end`: metric to `(N,)`, NaN for networks that have ended."""

    epoch: int
    train: Scores
    validation: Scores


@dataclass(frozen=True, eq=False)
class TrialScores:
    """The outcome of one candidate over its folds.

    Attributes:
        train, validation: metric name (`loss` always, then those asked for) to scores of shape
            `(epochs_run, folds)`, float64; NaN for epochs a fold did not run.
        learning_rate: `(epochs_run, folds)`, the rate of each epoch's last step.
        epoch_seconds: `(epochs_run,)`.
        score_epoch: `(folds,)` int, 1-based: the epoch whose weights a fold is scored by (its
            last, or its best one, see `TrainingPlan.restore_best_weights`).
        status: per fold: ran all its epochs, stopped early by patience, diverged (NaN or
            infinite loss), or interrupted by a callback (pruned, shut down).
        weights: per fold the weights at `score_epoch`, in the order of plain Keras
            `Sequential.get_weights()`; None unless asked for.
        snapshots: the weights at other epochs (1-based) that were asked for, per fold; empty
            if a fold had ended before.
        failure: why the candidate failed although its training came to an end.
        record: what else is to be kept of it; JSON.
    """

    train: dict[str, NDArray[np.float64]]
    validation: dict[str, NDArray[np.float64]]
    learning_rate: NDArray[np.float64]
    epoch_seconds: NDArray[np.float64]
    score_epoch: NDArray[np.int64]
    status: tuple[FoldStatus, ...]
    weights: list[list[NDArray[np.float32]]] | None = field(default=None)
    snapshots: Mapping[int, list[list[NDArray[np.float32]]]] = field(default_factory=dict)
    failure: str | None = None
    record: Any = None

    @classmethod
    def of(cls, run: RunState, weights: bool) -> TrialScores:
        """Of all networks of a training, as if they were the folds of one candidate."""
        progress = [own.progress for own in run.networks]
        return cls(
            train=run.train,
            validation=run.validation,
            learning_rate=run.learning_rate,
            epoch_seconds=run.epoch_seconds,
            score_epoch=np.array([own["score_epoch"] for own in progress]),
            status=tuple(own["status"] for own in progress),
            weights=[own.weights or [] for own in run.networks] if weights else None,
            snapshots={
                epoch: [own.snapshots.get(epoch, []) for own in run.networks]
                for epoch in sorted(set().union(*(own.snapshots for own in run.networks)))
            },
        )

    @property
    def epochs_run(self) -> int:
        return len(self.epoch_seconds)

    @property
    def diverged(self) -> bool:
        return "diverged" in self.status

    def fold_scores(self, metric: str) -> NDArray[np.float64]:
        """`(folds,)`: each fold's validation score at its `score_epoch`; NaN if it diverged."""
        scores = self.validation[metric]
        picked = scores[self.score_epoch - 1, np.arange(scores.shape[1])]
        return np.where(np.array(self.status) == "diverged", np.nan, picked)

    def mean_curve(self, metric: str) -> NDArray[np.float64]:
        """`(epochs_run,)`: see `mean_fold_curve`."""
        return mean_fold_curve(self.validation[metric], self.score_epoch.tolist(), self.status)

    def of_folds(self, folds: slice) -> TrialScores:
        """What a training of those folds by themselves gives back."""
        epochs = int((~np.isnan(self.learning_rate[:, folds])).any(axis=1).sum())
        return self._part(epochs, folds)

    def _part(self, epochs: int, folds: slice) -> TrialScores:
        """The first `epochs` epochs of some folds."""
        kept = {epoch: weights[folds] for epoch, weights in self.snapshots.items()}
        return TrialScores(
            train={name: curve[:epochs, folds] for name, curve in self.train.items()},
            validation={name: curve[:epochs, folds] for name, curve in self.validation.items()},
            learning_rate=self.learning_rate[:epochs, folds],
            epoch_seconds=self.epoch_seconds[:epochs],
            score_epoch=self.score_epoch[folds],
            status=self.status[folds],
            weights=None if self.weights is None else self.weights[folds],
            snapshots={epoch: weights for epoch, weights in kept.items() if any(weights)},
        )

    def until(self, epochs: int) -> TrialScores:
        """What a training of only the first `epochs` epochs gives back: for candidates that
        differ in nothing else, under a schedule that does not depend on the total.

        The weights are those of the snapshot at `epochs`; None without one.

        Raises:
            ValueError: a fold stopped by patience, which scores by another epoch than its last.
        """
        if "stopped" in self.status:
            raise ValueError("a training with patience cannot stand for a shorter one")
        reached_end = [
            status == "completed" or epoch > epochs or (status == "interrupted" and epoch == epochs)
            for status, epoch in zip(self.status, self.score_epoch.tolist(), strict=True)
        ]
        weights = self.weights if epochs >= self.epochs_run else None
        if epochs in self.snapshots:
            own = self.weights or [[] for _ in self.status]
            weights = [
                kept or ended for kept, ended in zip(self.snapshots[epochs], own, strict=True)
            ]
        return replace(
            self._part(epochs, slice(None)),
            score_epoch=np.minimum(self.score_epoch, epochs),
            status=tuple(
                "completed" if reached else status
                for reached, status in zip(reached_end, self.status, strict=True)
            ),
            weights=weights,
            snapshots={},
        )


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
