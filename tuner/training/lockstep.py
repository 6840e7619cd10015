"""The loop over epochs: all networks advance together, callbacks are told of every epoch.

Owns the order of events within an epoch: batches and rates are laid out, one graph call trains
and validates every network, each network's progress is judged, callbacks are told.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Fold
from tuner.planning.fold_means import ENDED, mean_over_folds
from tuner.planning.metrics import METRICS, MetricInfo
from tuner.planning.plan import TrainingPlan
from tuner.training.batches import BatchPlan, ValidationChunks, same_rows
from tuner.training.callbacks import EpochCallback, start
from tuner.training.early_stopping import NetworkProgress, network_rates, rates_table
from tuner.training.scheduled import ScheduledSettings
from tuner.training.scores import (
    Measures,
    NetworkLogs,
    Scores,
    curves_of,
    epochs_of,
    mean_over_networks,
    means_over_rows,
)
from tuner.training.stack_data import StackData
from tuner.training.stack_like import StackLike
from tuner.training.state import NetworkState, RunState, TrainingState


class Lockstep:
    """One training of N networks.

    Args:
        stack: reset already.
        plans, folds, seeds: one a network; all plans share their `batch_size`.
        candidates: whose networks these are, as many for each, one after the other.
        data: rows and scales of the networks.
        targets: `(rows, ...)`, as scikit-learn's metrics want them.
        keep_weights: keep each network's weights at its `score_epoch`.
        snapshots: for each network, epochs (1-based) after which to keep its weights as well.
        metrics: those of `measures` that need predictions, by name.
    """

    def __init__(
        self,
        stack: StackLike,
        plans: Sequence[TrainingPlan],
        folds: Sequence[Fold],
        seeds: Sequence[int],
        candidates: int,
        data: StackData,
        targets: NDArray[Any],
        measures: Measures,
        keep_weights: bool,
        snapshots: Sequence[Collection[int]],
        metrics: Mapping[str, MetricInfo] = METRICS,
    ) -> None:
        self._stack = stack
        self._folds = folds
        self._candidates = candidates
        self._data = data
        self._targets = targets
        self._measures = measures
        self._keep_weights = keep_weights
        self._snapshot_epochs = snapshots
        self._metrics = metrics
        self.epochs = max(plan.epochs for plan in plans)
        shared = same_rows(folds, seeds)
        train = [fold.train for fold in folds]
        self._batches = BatchPlan(train, seeds, plans[0].batch_size, shared)
        self._rates = network_rates(plans, self._batches.steps, measures.mode)
        self._scheduled = ScheduledSettings(plans, self._batches.steps)
        validation = [fold.validation for fold in folds]
        chunks = ValidationChunks.of(validation, stack.shape.width, shared)
        self._chunks = stack.validation(chunks)
        self.progress = [NetworkProgress(plan, measures.mode) for plan in plans]
        #: Per epoch: metric to `(N,)`.
        self.train: list[Scores] = []
        self.validation: list[Scores] = []
        self.learning_rate: list[NDArray[np.float64]] = []
        self.epoch_seconds: list[float] = []

    def run(self, callbacks: Sequence[EpochCallback], first_epoch: int = 0) -> None:
        """Train until every network has ended or a callback sets `model.stop_training`.

        `first_epoch` is how many epochs were trained before: batch orders go on from there,
        schedules and epoch numbers begin anew. After a `restore` it goes on with the next epoch,
        if any network still runs.
        """
        model = self._stack.model
        model.stop_training = False
        model.training_state = lambda: TrainingState(
            self._stack.get_state(), first_epoch + len(self.train), self.run_state()
        )
        model.fold_means = self.fold_means
        model.network_weights = self._stack.get_weights
        start(callbacks, model, epochs=self.epochs, steps=max(self._batches.steps))
        going = any(own.running for own in self.progress)
        for epoch in range(len(self.train), self.epochs if going else 0):
            for callback in callbacks:
                callback.on_epoch_begin(epoch)
            started = time.perf_counter()
            self._run_epoch(epoch, first_epoch)
            self.epoch_seconds.append(time.perf_counter() - started)
            model.network_logs = NetworkLogs(epoch, self.train[-1], self.validation[-1])
            logs = self._logs()
            for callback in callbacks:
                callback.on_epoch_end(epoch, logs)
            if model.stop_training or not any(own.running for own in self.progress):
                break
        self._keep([own for own in self.progress if own.running and not own.by_best_epoch])
        for callback in callbacks:
            callback.on_train_end()
        model.training_state = model.fold_means = None  # they hold this training's data

    def run_state(self) -> RunState:
        """What the networks have gone through. Nothing of it changes when the training goes on."""
        return RunState(
            train=curves_of(self.train),
            validation=curves_of(self.validation),
            learning_rate=np.stack(self.learning_rate),
            epoch_seconds=np.array(self.epoch_seconds),
            networks=tuple(
                NetworkState(own.state(), rates.state(), own.weights, dict(own.snapshots))
                for own, rates in zip(self.progress, self._rates, strict=True)
            ),
        )

    def restore(self, run: RunState) -> None:
        """Take over what the networks went through before; the stack has their values already.

        Raises ValueError if `run` is of other networks or scores.
        """
        if set(run.validation) != set(self._measures.names):
            raise ValueError(
                f"a state goes on with its own training, which scores {sorted(run.validation)}; "
                f"this one scores {sorted(self._measures.names)}"
            )
        for own, rates, network in zip(self.progress, self._rates, run.networks, strict=True):
            own.restore(network.progress)
            own.weights, own.snapshots = network.weights, dict(network.snapshots)
            rates.restore(network.rates)
        self.train, self.validation = epochs_of(run.train), epochs_of(run.validation)
        self.learning_rate = list(run.learning_rate)
        self.epoch_seconds = run.epoch_seconds.tolist()

    def _run_epoch(self, epoch: int, first_epoch: int) -> None:
        running = np.array([own.running for own in self.progress])
        batches = self._batches.epoch(first_epoch + epoch)
        rates = rates_table(self._rates, running, epoch, len(batches.rows))
        tables = self._scheduled.tables(running, epoch, len(rates))
        result = self._stack.run_epoch(self._data, batches, rates, tables, self._chunks)
        names = ("loss", *self._measures.summed)
        train_rows = [len(fold.train) for fold in self._folds]
        validation_rows = [len(fold.validation) for fold in self._folds]
        self.train.append(means_over_rows(names, result.train.numpy(), train_rows, running))
        validation = means_over_rows(names, result.validation.numpy(), validation_rows, running)
        self.validation.append(validation | self._predicted(result.outputs, running))
        last = rates[np.array(self._batches.steps) - 1, np.arange(len(running))]
        self.learning_rate.append(np.where(running, last, math.nan))
        self._judge(epoch, running)

    def _judge(self, epoch: int, running: NDArray[np.bool_]) -> None:
        kept, snapped = [], []
        for network in np.flatnonzero(running).tolist():
            own = self.progress[network]
            train = float(self.train[-1]["loss"][network])
            validation = {name: float(v[network]) for name, v in self.validation[-1].items()}
            unvalidated = len(self._folds[network].validation) == 0
            losses = (train, train if unvalidated else validation["loss"])
            score = validation[self._measures.objective]
            if own.update(epoch, losses, score):
                kept.append(own)
            self._rates[network].update(score)
            if epoch + 1 in self._snapshot_epochs[network] and own.status != "diverged":
                snapped.append(own)
        self._keep(kept, snapped, epoch + 1)

    def _keep(
        self,
        kept: Sequence[NetworkProgress],
        snapped: Sequence[NetworkProgress] = (),
        epoch: int = 0,
    ) -> None:
        """Keep the present weights of the `kept` networks if they are asked for, and of the
        `snapped` ones as those after `epoch` (1-based)."""
        kept = kept if self._keep_weights else ()
        if not kept and not snapped:
            return
        for own, weights in zip(self.progress, self._stack.get_weights(), strict=True):
            if own in kept:
                own.weights = weights
            if own in snapped:
                own.snapshots[epoch] = weights

    def _predicted(self, outputs: Any, running: NDArray[np.bool_]) -> dict[str, Any]:
        """Metrics that need all predictions of a fold at once, by scikit-learn's functions."""
        if not self._measures.predicted:
            return {}
        answered = np.moveaxis(outputs.numpy(), 1, 0)
        scores = {name: np.full(len(running), math.nan) for name in self._measures.predicted}
        for network in np.flatnonzero(running).tolist():
            rows = self._folds[network].validation
            if len(rows) == 0:
                continue
            own = answered[network].reshape(-1, answered.shape[-1])[: len(rows)]
            own = own[:, 0] if self._stack.shape.task == "binary" else own
            for name, values in scores.items():
                values[network] = self._metrics[name].compute(self._targets[rows], own)
        return scores

    def fold_means(self, metric: str) -> list[float]:
        """See `StackModel`."""
        shape = (self._candidates, -1)
        means = mean_over_folds(
            self.validation[-1][metric].reshape(shape), self._judged(metric).reshape(shape)
        )
        ran = ~np.isnan(self.learning_rate[-1]).reshape(shape).all(axis=1)
        return np.where(ran, means, math.nan).tolist()

    def _judged(self, metric: str) -> NDArray[np.float64]:
        """`(N,)`: the scores that networks are judged by that have ended; NaN for the others."""
        judged = np.full(len(self.progress), math.nan)
        for network, own in enumerate(self.progress):
            if own.status in ENDED:
                judged[network] = self.validation[own.score_epoch - 1][metric][network]
        return judged

    def _logs(self) -> dict[str, float]:
        """Means over all networks."""
        logs = {name: mean_over_networks(values) for name, values in self.train[-1].items()}
        for name, values in self.validation[-1].items():
            logs[f"val_{name}"] = float(mean_over_folds(values, self._judged(name)))
        logs["learning_rate"] = mean_over_networks(self.learning_rate[-1])
        return logs
