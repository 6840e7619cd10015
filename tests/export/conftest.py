"""A study whose one trial was trained by the real trainer, stored by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from tuner.data import Dataset, make_folds
from tuner.planning import network_seed, plan_training
from tuner.storage import records
from tuner.study.data import load_data
from tuner.study.data_spec import DataSpec
from tuner.study.definition import StudyDefinition, definition_of
from tuner.training import Trainer, TrialScores, set_threads

set_threads()


@dataclass
class TrainedStudy:
    study: optuna.Study
    definition: StudyDefinition
    dataset: Dataset
    scores: TrialScores


@pytest.fixture
def train_study() -> Callable[..., TrainedStudy]:
    """`train_study(params, data={...}, metric=..., ...)`: trains `params` (all fixed) on two
    folds and stores the trial as a search would."""

    def train(
        params: dict[str, Any],
        *,
        name: str = "small",
        data: dict[str, Any] | None = None,
        metrics: tuple[str, ...] = (),
        storage: Any = None,
        state: TrialState = TrialState.COMPLETE,
        seed: int = 3,
    ) -> TrainedStudy:
        spec = data or {"uri": "sklearn:digits", "limit": 400, "test_share": 0.25}
        dataset = load_data(DataSpec(**spec), seed)
        definition = definition_of(
            {
                "space": {"name": "fixed", "params": params},
                "data": spec,
                "folds": {"k": 2},
                "metrics": metrics,
                "seed": seed,
            },
            "a test",
        ).resolved(dataset.task)
        folds = make_folds(dataset, definition.folds)
        trainer = Trainer(
            dataset,
            folds,
            scaling=definition.data.scaling,
            metrics=definition.all_metrics,
            objective=definition.metric,
        )
        plan = plan_training(
            params,
            features=dataset.features,
            outputs=dataset.outputs,
            task=dataset.task,
            numbers=dataset.numbers,
        )
        [scores] = trainer.train([plan], [[network_seed(seed, 0, fold) for fold in range(2)]])
        study = optuna.create_study(
            study_name=name, storage=storage, direction=definition.direction
        )
        study.set_user_attr(records.STUDY_VERSION, records.VERSION)
        study.set_user_attr(records.STUDY_DEFINITION, definition.to_json())
        study.set_user_attr(records.STUDY_DATA_HASH, dataset.hash)
        study.set_user_attr(records.STUDY_TASK, dataset.task)
        objective = scores.fold_scores(definition.metric)
        study.add_trial(
            create_trial(
                state=state,
                value=float(np.mean(objective)),
                user_attrs={
                    records.TICKET: 0,
                    records.ATTEMPT: 0,
                    records.FOLD_SCORES: objective.tolist(),
                    records.SCORE_EPOCHS: scores.score_epoch.tolist(),
                    records.EPOCHS_RUN: scores.epochs_run,
                    records.DURATION: float(scores.epoch_seconds.sum()),
                    records.METRICS: {
                        metric: scores.fold_scores(metric).tolist()
                        for metric in definition.all_metrics
                    },
                },
                system_attrs=dict(records.curve_attributes(scores)),
                intermediate_values=dict(enumerate(scores.mean_curve(definition.metric).tolist())),
            )
        )
        return TrainedStudy(study, definition, dataset, scores)

    return train
