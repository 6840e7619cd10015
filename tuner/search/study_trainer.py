"""The trainer of a study, for real: Keras on the definition's data. Imports TensorFlow."""

from __future__ import annotations

from typing import Any

from tuner.code.spec import BUILD
from tuner.errors import PlanError
from tuner.search.trainer import Planner, TrainerLike
from tuner.spaces.space import Space
from tuner.storage.quiet import quiet_optuna
from tuner.study.data import load_study_data
from tuner.study.definition import StudyDefinition
from tuner.study.own_code import own_metrics
from tuner.training import Trainer
from tuner.training.own import OwnTrainer

#: Points of a space at which a network of somebody's own is tried before the search.
_TRIED = 3


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


def trainer_of(definition: StudyDefinition) -> TrainerLike:
    """What trains the study: networks of its own code if it has a `build`, else those of its space.

    Raises `DataError` if the data cannot be loaded, `PlanError` if no network of its own fits them.
    """
    build = definition.own(BUILD)
    return StudyTrainer(definition) if build is None else _own_trainer(definition, build)


def _own_trainer(definition: StudyDefinition, build: Any) -> OwnTrainer:
    dataset, folds = load_study_data(definition)
    assert definition.code is not None
    asked = {*definition.objectives, *definition.at_most, *definition.at_least}
    trainer = OwnTrainer(
        build,
        dataset,
        folds,
        code=definition.code.parts[BUILD].hash,
        scaling=definition.data.scaling,
        metrics=definition.all_metrics,
        objective=definition.metric,
        own_metrics=own_metrics(definition, dataset),
        counting="parameters" in asked,
    )
    _require_network(trainer, definition.space, definition.seed)
    return trainer


def _require_network(trainer: OwnTrainer, space: Space, seed: int) -> None:
    """Raise the `PlanError` of the first of some points of `space`, if all have one: every trial
    would fail, each by itself."""
    import optuna

    quiet_optuna()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    refused: list[PlanError] = []
    for _ in range(_TRIED):
        try:
            return trainer.require(space.suggest(study.ask()))
        except PlanError as error:
            refused.append(error)
    raise refused[0]
