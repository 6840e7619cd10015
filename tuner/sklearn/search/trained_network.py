"""One network of a stack: how an estimator becomes what its own `fit` would have made it, and how a
candidate is scored while it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
