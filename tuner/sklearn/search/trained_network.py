"""One network of a stack, and how an estimator becomes what its own `fit` would have made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.scaling import TargetScaling
from tuner.planning.plan import TrainingPlan
from tuner.sklearn.estimators.training import FitState, check_finite
from tuner.sklearn.search.splits import Split
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


def still_training(weights: Sequence[NDArray[np.float32]]) -> TrialScores:
    """Scores of a network that still trains: weights, and no curves."""
    nothing = np.zeros((0, 1))
    return TrialScores(
        train={"loss": nothing},
        validation={"loss": nothing},
        learning_rate=nothing,
        epoch_seconds=np.zeros(0),
        score_epoch=np.zeros(1, np.int64),
        status=("interrupted",),
        weights=[list(weights)],
    )
