"""The trainer of a study, for real: Keras on the definition's data. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuner.planning import TrainingPlan
from tuner.search.groups.stacking import Planner
from tuner.search.trainer import OnEpoch
from tuner.spaces.info import Value
from tuner.study.data import load_study_data
from tuner.study.definition import StudyDefinition
from tuner.training import Trainer, TrainingState, TrialScores
from tuner.training.callbacks import EpochCallback
from tuner.training.grouping import Stacking


class StudyTrainer:
    """A `TrainerLike` over `tuner.training.Trainer`, for a resolved definition.

    Raises `DataError` where the data cannot be loaded.
    """

    def __init__(self, definition: StudyDefinition) -> None:
        dataset, folds = load_study_data(definition)
        self._metric = definition.metric
        self.folds = len(folds)
        self.data_hash = dataset.hash
        self._planner = Planner(dataset, folds)
        self._trainer = Trainer(
            dataset,
            folds,
            scaling=definition.data.scaling,
            metrics=definition.all_metrics,
            objective=definition.metric,
        )

    def plan(self, params: Mapping[str, Value]) -> TrainingPlan:
        return self._planner.plan(params)

    def identity(
        self, plans: Sequence[TrainingPlan], seeds: Sequence[Sequence[int]]
    ) -> dict[str, str]:
        return self._trainer.identity(plans, seeds)

    def train(
        self,
        plan: TrainingPlan,
        seeds: Sequence[int],
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> TrialScores:
        [scores] = self._trainer.train([plan], [seeds], callbacks=callbacks, state=state)
        return scores

    def stacking(self, plan: TrainingPlan) -> Stacking:
        return self._planner.stacking(plan)

    def train_stack(
        self,
        plans: Sequence[TrainingPlan],
        seeds: Sequence[Sequence[int]],
        on_epoch: OnEpoch,
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> list[TrialScores]:
        watch = _EpochWatch(self._metric, on_epoch)
        return self._trainer.train(plans, seeds, callbacks=[watch, *callbacks], state=state)


class _EpochWatch(EpochCallback):
    """Tells `on_epoch` every candidate's mean over the folds."""

    def __init__(self, metric: str, on_epoch: OnEpoch) -> None:
        self._metric = metric
        self._on_epoch = on_epoch

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if self._on_epoch(epoch + 1, self.model.fold_means(self._metric)):
            self.model.stop_training = True
