"""One network of a stack: how an estimator becomes what its own `fit` would have made it, and how a
candidate is scored while it trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray

from tuner.data.scaling import TargetScaling
from tuner.planning.plan import TrainingPlan
from tuner.sklearn.estimators.training import FitState, check_finite
from tuner.sklearn.search.splits import Split
from tuner.training.callbacks import EpochCallback
from tuner.training.scores import TrialScores


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """The network of a candidate's `plan`, trained in `split`.

    Attributes:
        scores: of its own fold alone, with weights.
        seconds: its share of the time of its stack and of the steps before it.
    """

    plan: TrainingPlan
    split: Split
    seed: int
    scores: TrialScores
    target_scaling: TargetScaling | None
    seconds: float

    def install(self, estimator: Any) -> None:
        """Make `estimator` (bare or a pipeline, unfitted) the fitted one.

        Raises DivergedError if the network diverged.
        """
        final = self.split.steps.put_into(estimator)
        check_finite(self.plan, self.scores)
        for name, value in self.split.attributes.items():
            setattr(final, name, value)
        final.history_ = {}
        state = FitState(
            self.seed, epochs=self.scores.epochs_run, target_scaling=self.target_scaling
        )
        final.take(self.plan, self.split.targets, self.scores, state)


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
