"""The trainer of a study, for real: Keras on the definition's data. Imports TensorFlow."""

from __future__ import annotations

from tuner.search.trainer import Planner
from tuner.study.data import load_study_data
from tuner.study.definition import StudyDefinition
from tuner.study.own_code import own_metrics
from tuner.training import Trainer


class StudyTrainer(Planner):
    """A `TrainerLike` over `tuner.training.Trainer`, for a resolved definition.

    Raises `DataError` if the data cannot be loaded.
    """

    def __init__(self, definition: StudyDefinition) -> None:
        dataset, folds = load_study_data(definition)
        super().__init__(dataset, folds)
        self.data_hash = dataset.hash
        trainer = Trainer(
            dataset,
            folds,
            scaling=definition.data.scaling,
            metrics=definition.all_metrics,
            objective=definition.metric,
            own_metrics=own_metrics(definition, dataset),
        )
        self.identity, self.train = trainer.identity, trainer.train
