"""A candidate looked at while it trains: its score after every epoch. Imports Keras."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np
import optuna

from tuner.sklearn.search.group_training import Standing
from tuner.sklearn.search.outcomes import Outcome
from tuner.training.initial_weights import unstacked_weights


class Watching(keras.callbacks.Callback):
    """Reports the mean fold score after every epoch, and ends the training where the pruner says
    so; after the last epoch nothing is pruned.

    Args:
        trial: reported to.
        standing: tells the networks as they stand.
        score: (split, its network) to the score that the search is by.

    Attributes:
        pruned: whether the pruner ended the training.
    """

    def __init__(
        self, trial: optuna.Trial, standing: Standing, score: Callable[[int, Outcome], float]
    ) -> None:
        super().__init__()
        self.pruned = False
        self._trial = trial
        self._standing = standing
        self._score = score
        self._scores: dict[int, float] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        ended = np.isnan(self.model.network_logs.train["loss"])
        variables = self.model.weights
        stacked = [np.asarray(variable) for variable in variables]
        kernels = [variable.name == "kernel" for variable in variables]
        weights = [unstacked_weights(stacked, kernels, i) for i in range(len(ended))]
        outcomes = self._standing(weights)
        for done, (split, outcome) in zip(ended, outcomes.items(), strict=True):
            if not (done and split in self._scores):  # one that has ended keeps its score
                self._scores[split] = self._score(split, outcome)
        value = sum(self._scores.values()) / len(self._scores)
        if not math.isfinite(value):
            return
        self._trial.report(value, epoch)
        if epoch + 1 < self.params["epochs"] and self._trial.should_prune():
            self.pruned = self.model.stop_training = True
