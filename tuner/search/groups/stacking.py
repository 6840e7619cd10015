"""Plans on a study's data, and how they may train together: by plan and data's shape alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tuner.data import Dataset, Fold
from tuner.parameters.info import Value
from tuner.planning import TrainingPlan, plan_training
from tuner.planning.cost import Cost, estimate
from tuner.planning.sharing import shared_training
from tuner.search.groups.rule import MOST_NETWORKS
from tuner.search.trainer import Stacking
from tuner.training.shape import StackShape

#: Bytes of weights, gradients, optimizer variables and activations of one stack.
MOST_BYTES = 512 << 20
#: Networks below which a stack of small ones spends its time between the matrix products.
LEAST_NETWORKS = 20


class Planner:
    """A study's candidates as plans, on its data. Needs no TensorFlow."""

    def __init__(self, dataset: Dataset, folds: Sequence[Fold]) -> None:
        self._dataset = dataset
        self._folds = folds

    def plan(self, params: Mapping[str, Value]) -> TrainingPlan:
        """Raises `PlanError` for a combination that cannot train."""
        data = self._dataset
        return plan_training(params, features=data.features, outputs=data.outputs, task=data.task)

    def stacking(self, plan: TrainingPlan) -> Stacking:
        """See `TrainerLike.stacking`."""
        cost, folds = self.cost(plan), len(self._folds)
        most = min(MOST_NETWORKS // folds, MOST_BYTES // max(1, cost.total_bytes))
        return Stacking(
            kind=(StackShape.of(plan, self._dataset.task), plan.batch_size),
            training=shared_training(plan),
            least=1 if cost.heavy else math.ceil(LEAST_NETWORKS / folds),
            most=max(1, most),
        )

    def cost(self, plan: TrainingPlan) -> Cost:
        """Of one candidate over all folds."""
        return estimate(plan, len(self._dataset.x), self._folds)
