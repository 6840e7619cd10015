"""What the search asks of a trainer: plan a candidate, train it, tell after every epoch.

The real one is `tuner.search.study_trainer.StudyTrainer`; `tests.support.fake_trainer.FakeTrainer`
stands in for it in tests to which TensorFlow would only cost time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tuner.parameters.info import Value
from tuner.training.callbacks import EpochCallback
from tuner.training.grouping import Stacking
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


class TrainerLike(PlannerLike, Protocol):
    """Trains them, too.

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
