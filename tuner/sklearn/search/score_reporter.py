"""A candidate scored while it trains, after every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tuner.sklearn.search.trained_network import TrainedNetwork
from tuner.training.callbacks import EpochCallback

if TYPE_CHECKING:
    import optuna


class ScoreReporter(EpochCallback):
    """Reports the mean score over the splits after every epoch, and ends the training if the
    pruner says so; after the last epoch nothing is pruned.

    Args:
        trial: reported to.
        score: (split, its network) to the score that the search is by.

    Attributes:
        networks_now: from the candidate's weights in each split to its networks, by split number;
            set before the training.
        pruned: whether the pruner ended the training.
    """

    networks_now: Callable[[Sequence[Sequence[NDArray[np.float32]]]], Mapping[int, TrainedNetwork]]

    def __init__(self, trial: optuna.Trial, score: Callable[[int, TrainedNetwork], float]) -> None:
        self.pruned = False
        self._trial = trial
        self._score = score
        self._scores: dict[int, float] = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        ended = np.isnan(self.model.network_logs.train["loss"])
        networks = self.networks_now(self.model.network_weights())
        for done, (split, network) in zip(ended, networks.items(), strict=True):
            if not (done and split in self._scores):  # one that has ended keeps its score
                self._scores[split] = self._score(split, network)
        value = sum(self._scores.values()) / len(self._scores)
        if not math.isfinite(value):
            return
        self._trial.report(value, epoch)
        assert self.params is not None
        if epoch + 1 < self.params["epochs"] and self._trial.should_prune():
            self.pruned = self.model.stop_training = True
