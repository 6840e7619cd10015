"""What the search asks of a trainer: plan a candidate, train it, tell after every epoch. No
TensorFlow.

The real one is `tuner.search.study_trainer.StudyTrainer`; `tests.support.fake_trainer.FakeTrainer`
stands in for it in tests to which TensorFlow would only cost time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tuner.data import Dataset, Fold
from tuner.parameters import Value
from tuner.planning import TrainingPlan, plan_training
from tuner.planning.cost import Cost, estimate
from tuner.training.callbacks import EpochCallback
from tuner.training.grouping import Stacking, stacking_of
from tuner.training.scores import TrialScores
from tuner.training.state import TrainingState


class PlannerLike(Protocol):
    """Plans candidates for one dataset and its folds.

    Attributes:
        folds: how many networks a candidate trains.
    """

    @property
    def folds(self) -> int: ...

    def plan(self, params: Mapping[str, Value]) -> Any:
        """A plan for `params`, such as a `tuner.planning.TrainingPlan`; it has `epochs`. Raises
        `PlanError` for a combination that cannot train."""

    def stacking(self, plan: Any) -> Stacking:
        """How `plan` may train together with others; follows from plan and data alone."""


class Planner:
    """The real `PlannerLike`, and what plans cost."""

    def __init__(self, dataset: Dataset, folds: Sequence[Fold]) -> None:
        self._dataset = dataset
        self._folds = folds
        self.folds = len(folds)

    def plan(self, params: Mapping[str, Value]) -> TrainingPlan:
        """Raises `PlanError` for a combination that cannot train."""
        data = self._dataset
        return plan_training(
            params,
            features=data.features,
            outputs=data.outputs,
            task=data.task,
            numbers=data.numbers,
        )

    def stacking(self, plan: TrainingPlan) -> Stacking:
        return stacking_of(plan, self._dataset.task, self.cost(plan))

    def cost(self, plan: TrainingPlan) -> Cost:
        """Of one candidate over all folds."""
        return estimate(plan, self._folds)


class TrainerLike(PlannerLike, Protocol):
    """Trains them, too.

    It may have a `sampler` and a `pruner`: objects of Optuna's in place of the definition's.

    Attributes:
        data_hash: of the rows trained on; a worker refuses a study that was made on others.
    """

    @property
    def data_hash(self) -> str: ...

    def identity(self, plans: Sequence[Any], seeds: Sequence[Sequence[int]]) -> dict[str, str]:
        """What a training must agree in with another to go on from its state: plans, seeds,
        data, versions."""

    def train(
        self,
        plans: Sequence[Any],
        seeds: Sequence[Sequence[int]],
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> list[TrialScores]:
        """Train plans of one kind in one stack, all folds in lockstep, fold i's network of plan p
        from `seeds[p][i]`.

        `state` is from the middle of the same training: go on with its next epoch. The scores are
        those of all epochs, and the same as without the interruption.
        """
