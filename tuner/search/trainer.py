"""What the search asks of a trainer: plan a candidate, train it, tell after every epoch.

The real one is `tuner.search.study_trainer.StudyTrainer`; `tests.support.fake_trainer.FakeTrainer`
stands in for it where TensorFlow would only cost time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tuner.spaces.info import Value
from tuner.training.callbacks import EpochCallback
from tuner.training.grouping import Stacking
from tuner.training.scores import TrialScores
from tuner.training.state import TrainingState


class PlanLike(Protocol):
    """A candidate that can be trained; `tuner.planning.TrainingPlan` is one."""

    @property
    def epochs(self) -> int: ...


#: Called after each epoch with its number (from 1) and the objective's mean over the folds of
#: each candidate (NaN for one that has ended); True ends the training.
OnEpoch = Callable[[int, Sequence[float]], bool]


class TrainerLike(Protocol):
    """Trains candidates on one dataset and its folds.

    Attributes:
        data_hash: of the rows trained on; a worker refuses a study that was made on others.
        folds: how many networks a candidate trains.
    """

    @property
    def data_hash(self) -> str: ...

    @property
    def folds(self) -> int: ...

    def plan(self, params: Mapping[str, Value]) -> Any:
        """A `PlanLike` for `params`. Raises `PlanError` for a combination that cannot train."""

    def identity(self, plans: Sequence[Any], seeds: Sequence[Sequence[int]]) -> dict[str, str]:
        """What a training must agree in with another to go on from its state: plans, seeds,
        data, versions."""

    def train(
        self,
        plan: Any,
        seeds: Sequence[int],
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> TrialScores:
        """Train `plan` on all folds in lockstep, fold i's network from `seeds[i]`.

        `state` is from the middle of the same training: go on with its next epoch. The scores are
        those of all epochs, and the same as without the interruption.
        """

    def stacking(self, plan: Any) -> Stacking:
        """How `plan` may train together with others; follows from plan and data alone."""

    def train_stack(
        self,
        plans: Sequence[Any],
        seeds: Sequence[Sequence[int]],
        on_epoch: OnEpoch,
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> list[TrialScores]:
        """Train plans of one kind in one stack, fold i's network of plan p from `seeds[p][i]`.

        `callbacks` hear of an epoch after `on_epoch`. `state` as of `train`.
        """
