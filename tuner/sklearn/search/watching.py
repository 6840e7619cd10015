"""Who is told of the epochs of a training in a search over estimators, and of what score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tuner.sklearn.search.trained_network import TrainedNetwork
from tuner.training.callbacks import EpochCallback, start
from tuner.training.state import TrainingState


class ScoreWatch(EpochCallback):
    """Stands before other callbacks of a training and gives them what they ask its model for: the
    mean score over the splits after every epoch, instead of the loss.

    Args:
        metric: what they call the score.
        score: (split, its network) to the score that the search is by; None: they get none.
        kept: whether they may keep the state of a training that has not ended.

    Attributes:
        networks_now: from the candidate's weights in each split to its networks, by split number;
            set before the training. None: it is not of all splits of one candidate.
        curves: of every epoch that was scored, the scores by split.
    """

    networks_now: (
        Callable[[Sequence[Sequence[NDArray[np.float32]]]], Mapping[int, TrainedNetwork]] | None
    ) = None

    def __init__(
        self, metric: str, score: Callable[[int, TrainedNetwork], float] | None, *, kept: bool
    ) -> None:
        self.curves: dict[int, dict[int, float]] = {}
        self._metric = metric
        self._score = score
        self._kept = kept
        self._means: list[float] | None = None
        self._scores: dict[int, float] = {}

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self.model.fold_means = lambda metric: self._means
        if not self._kept or self.networks_now is None:
            self.model.training_state = lambda: None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self._means = None
        told = cast("dict[str, float]", logs)
        told[f"val_{self._metric}"] = math.nan
        if self._score is None or self.networks_now is None:
            return
        ended = np.isnan(self.model.network_logs.train["loss"])
        networks = self.networks_now(self.model.network_weights())
        for done, (split, network) in zip(ended, networks.items(), strict=True):
            if not (done and split in self._scores):  # one that has ended keeps its score
                self._scores[split] = self._score(split, network)
        self.curves[epoch] = dict(self._scores)
        mean = sum(self._scores.values()) / len(self._scores)
        if math.isfinite(mean):
            self._means = [mean]
            told[f"val_{self._metric}"] = mean


@dataclass(frozen=True, eq=False)
class Watch:
    """Who is told of the epochs of a training, and where it goes on from.

    Attributes:
        scores: told first.
        callbacks: told then, of the scores too.
        state: from the middle of the same training; None: it begins.
    """

    scores: ScoreWatch
    callbacks: Sequence[EpochCallback]
    state: TrainingState | None = None


class Pauses:
    """Between the splits of an estimator's own `fit`s: may somebody want the search to end?"""

    def __init__(self, callbacks: Sequence[EpochCallback], metric: str, splits: int) -> None:
        self._callbacks = callbacks
        self._logs = {f"val_{metric}": math.nan}
        self._model: Any = SimpleNamespace(
            stop_training=False, fold_means=lambda metric: None, training_state=lambda: None
        )
        start(callbacks, self._model, epochs=splits)

    def ended(self, split: int) -> bool:
        """Asked after `split`; true from then on."""
        for callback in () if self._model.stop_training else self._callbacks:
            callback.on_epoch_end(split, self._logs)
        return bool(self._model.stop_training)
