"""A study's candidates as plans on its data, and how they may train together. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuner.data import Dataset, Fold
from tuner.parameters.info import Value
from tuner.planning import TrainingPlan, plan_training
from tuner.planning.cost import Cost, estimate
from tuner.training.grouping import Stacking, stacking_of


class Planner:
    """Plans and their costs on a dataset and its folds."""

    def __init__(self, dataset: Dataset, folds: Sequence[Fold]) -> None:
        self._dataset = dataset
        self._folds = folds
        self.folds = len(folds)

    def plan(self, params: Mapping[str, Value]) -> TrainingPlan:
        """Raises `PlanError` for a combination that cannot train."""
        data = self._dataset
        return plan_training(params, features=data.features, outputs=data.outputs, task=data.task)

    def stacking(self, plan: TrainingPlan) -> Stacking:
        """See `TrainerLike.stacking`."""
        return stacking_of(plan, self._dataset.task, self.cost(plan))

    def cost(self, plan: TrainingPlan) -> Cost:
        """Of one candidate over all folds."""
        return estimate(plan, len(self._dataset.x), self._folds)
