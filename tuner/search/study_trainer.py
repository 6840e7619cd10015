"""The trainer of a study, for real: Keras on the definition's data. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tuner.planning import TrainingPlan
from tuner.search.groups.stacking import Planner
from tuner.search.trainer import EpochCallback, ModelLike, OnEpoch, Stacking
from tuner.spaces.info import Value
from tuner.study.data import load_study_data
from tuner.study.definition import StudyDefinition
from tuner.training import Trainer, TrainingState, TrialScores


class StudyTrainer:
    """A `TrainerLike` over `tuner.training.Trainer`, for a resolved definition.

    Raises `DataError` where the data cannot be loaded.
    """

    def __init__(self, definition: StudyDefinition) -> None:
        dataset, folds = load_study_data(definition)
        self._metric = definition.metric
        self.folds = len(folds)
        self.data_hash = dataset.hash
        self._planner = Planner(dataset, folds)
        self._trainer = Trainer(
            dataset,
            folds,
            scaling=definition.data.scaling,
            metrics=definition.all_metrics,
            objective=definition.metric,
        )

    def plan(self, params: Mapping[str, Value]) -> TrainingPlan:
        return self._planner.plan(params)

    def identity(
        self, plans: Sequence[TrainingPlan], seeds: Sequence[Sequence[int]]
    ) -> dict[str, str]:
        return self._trainer.identity(plans, seeds)

    def train(
        self,
        plan: TrainingPlan,
        seeds: Sequence[int],
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> TrialScores:
        relays = [_Relay(callback) for callback in callbacks]
        return self._trainer.train(plan, seeds, callbacks=relays, state=state)

    def stacking(self, plan: TrainingPlan) -> Stacking:
        return self._planner.stacking(plan)

    def train_stack(
        self,
        plans: Sequence[TrainingPlan],
        seeds: Sequence[Sequence[int]],
        on_epoch: OnEpoch,
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> list[TrialScores]:
        watch = _EpochWatch(self._metric, len(plans), on_epoch)
        relays = [_Relay(callback) for callback in callbacks]
        return self._trainer.train_many(plans, seeds, callbacks=[watch, *relays], state=state)


class _Relay(keras.callbacks.Callback):
    """An `EpochCallback` as Keras wants it."""

    def __init__(self, callback: EpochCallback) -> None:
        super().__init__()
        self._callback = callback

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        self._callback.set_params(params)

    def set_model(self, model: ModelLike) -> None:
        super().set_model(model)
        self._callback.set_model(model)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._callback.on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._callback.on_epoch_end(epoch, logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._callback.on_train_end(logs)


class _EpochWatch(keras.callbacks.Callback):
    """Tells `on_epoch` every candidate's mean over the folds that still train."""

    def __init__(self, metric: str, candidates: int, on_epoch: OnEpoch) -> None:
        super().__init__()
        self._metric = metric
        self._candidates = candidates
        self._on_epoch = on_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        scores = self.model.network_logs.validation[self._metric]
        folds = np.asarray(scores).reshape(self._candidates, -1)
        runs = ~np.isnan(folds)
        total, count = np.where(runs, folds, 0.0).sum(axis=1), runs.sum(axis=1)
        means = np.where(count > 0, total / np.maximum(count, 1), math.nan)
        if self._on_epoch(epoch + 1, means.tolist()):
            self.model.stop_training = True
