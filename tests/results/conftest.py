"""Studies made by hand: Optuna's own calls and the attributes of `records`, no training."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from tuner.storage import records
from tuner.training.scores import FoldStatus, TrialScores

DISTRIBUTIONS = {
    "optimizer.learning_rate": FloatDistribution(1e-3, 1.0, log=True),
    "initializer": CategoricalDistribution(("glorot_uniform", "he_normal")),
}


@dataclass
class StudyMaker:
    """Adds finished trials with curves to one study; all its metrics but the loss have the scores
    of the accuracy."""

    study: optuna.Study
    metrics: tuple[str, ...] = ("accuracy",)

    def add(
        self,
        fold_scores: Sequence[float] = (0.9, 0.92, 0.94),
        *,
        state: TrialState = TrialState.COMPLETE,
        epochs: int = 6,
        cause: str | None = None,
        curves: bool = True,
        status: Sequence[FoldStatus] | None = None,
        score_epochs: Sequence[int] | None = None,
        params: dict[str, Any] | None = None,
        ticket: int | None = None,
        turn: int = 0,
    ) -> None:
        """A trial whose folds rise to `fold_scores` over the epochs."""
        final = np.asarray(fold_scores, dtype=np.float64)
        folds = len(final)
        rise = 1 - np.exp(-np.arange(1, epochs + 1) / 2.0)
        scores = final * (rise / rise[-1])[:, None]
        ends = np.asarray(score_epochs or [epochs] * folds)
        kinds: tuple[FoldStatus, ...] = tuple(status or ["completed"] * folds)
        for fold, kind in enumerate(kinds):
            if kind == "stopped":
                scores[ends[fold] :, fold] = np.nan
                scores[ends[fold] - 1, fold] = final[fold]
        tickets = {
            records.TICKET: len(self.study.trials) if ticket is None else ticket,
            records.ATTEMPT: turn,
        }
        attributes: dict[str, Any] = {
            **tickets,
            records.FOLD_SCORES: final.tolist(),
            records.SCORE_EPOCHS: ends.tolist(),
            records.EPOCHS_RUN: epochs,
            records.DURATION: 0.25,
            records.METRICS: dict.fromkeys(self.metrics, final.tolist()),
        }
        if cause is not None:
            attributes[records.CAUSE] = cause
        training = TrialScores(
            train={"loss": 1.01 - scores, "accuracy": scores * 0.99},
            validation={
                "loss": 1 - scores,
                "accuracy": scores,
                **{name: scores for name in self.metrics if name != "loss"},
            },
            learning_rate=np.full((epochs, folds), 0.1) / np.arange(1, epochs + 1)[:, None],
            epoch_seconds=np.full(epochs, 0.04),
            score_epoch=ends,
            status=kinds,
        )
        failed = state == TrialState.FAIL
        means = training.mean_curve("accuracy")
        # Optuna gives a pruned trial the last value it reported.
        values = {TrialState.COMPLETE: float(final.mean()), TrialState.PRUNED: float(means[-1])}
        trial = create_trial(
            state=state,
            value=values.get(state),
            params=params or {"optimizer.learning_rate": 0.1, "initializer": "he_normal"},
            distributions=DISTRIBUTIONS,
            user_attrs=attributes if not failed else {**tickets, records.CAUSE: cause},
            system_attrs={
                records.TURN: turn,
                **(records.curve_attributes(training) if curves else {}),
            },
            intermediate_values={} if failed else dict(enumerate(means.tolist())),
        )
        self.study.add_trial(trial)


@pytest.fixture
def make_study() -> Callable[..., StudyMaker]:
    """`make_study(name="digits", direction="maximize", storage=None, metrics=())`: an empty study,
    in memory unless a storage is given. Without `metrics` (the first is the objective) it is by
    accuracy, or by the loss if that is to be minimized."""
    memory = optuna.storages.InMemoryStorage()

    def make(
        name: str = "digits",
        direction: Any = "maximize",
        storage: optuna.storages.BaseStorage | None = None,
        metrics: Sequence[str] = (),
    ) -> StudyMaker:
        storage = storage or memory
        study = optuna.create_study(storage=storage, study_name=name, direction=direction)
        study.set_user_attr(records.STUDY_VERSION, records.VERSION)
        scored = list(metrics) or ["accuracy" if direction == "maximize" else "loss"]
        definition = json.dumps({"objective": {"metric": scored[0]}, "metrics": scored[1:]})
        study.set_user_attr(records.STUDY_DEFINITION, definition)
        study.set_user_attr(records.STUDY_TASK, "multiclass")
        return StudyMaker(study, tuple(scored))

    return make
