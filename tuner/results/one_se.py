"""The simplest trial that is as good as the best one, as far as its folds tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tuner.code.spec import BUILD, has_part
from tuner.errors import UsageError
from tuner.planning.cost import count_parameters
from tuner.results.trials import epochs_of, fold_scores_of, maximizes, mean_of
from tuner.search.trainer import Planner
from tuner.storage import records
from tuner.study.data import load_study_data
from tuner.study.stored import read_definition
from tuner.text import quoted

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from tuner.study.definition import StudyDefinition


def require_one_se(definition: StudyDefinition) -> None:
    """Raise `UsageError` for a study whose trials the rule cannot choose among."""
    _require(1 + len(definition.objective.others), definition.folds.count)


def simplest(study: Study, ranked: Sequence[FrozenTrial]) -> FrozenTrial:
    """The one-standard-error rule of Breiman et al. (1984): of the trials whose mean score is at
    most one standard error worse than the best one's, that with the fewest parameters of its
    network, of these that with the fewest epochs, of these the best.

    The standard error is s / sqrt(k): s is the sample standard deviation (ddof 1) of the best
    trial's k fold scores.

    Args:
        ranked: complete trials, best first; at least one.

    Raises:
        UsageError: several objectives, a best trial with fewer than two fold scores, or trials of
            which no number of parameters can be known.
    """
    scores = fold_scores_of(ranked[0])
    _require(len(study.directions), len(scores))
    error = float(np.std(scores, ddof=1)) / len(scores) ** 0.5
    sign = 1.0 if maximizes(study) else -1.0
    bound = sign * mean_of(ranked[0]) - error
    near = [trial for trial in ranked if sign * mean_of(trial) >= bound]
    sizes = dict(zip([trial.number for trial in near], _parameters(study, near), strict=True))
    return min(near, key=lambda trial: (sizes[trial.number], epochs_of(trial)))


def _require(objectives: int, folds: int) -> None:
    if objectives > 1:
        raise UsageError(
            f"one-se chooses by one objective; the study has {objectives}. Available: --choose "
            "best, or another trial of the front by its number"
        )
    if folds < 2:
        raise UsageError(
            "one-se needs the standard error of two or more fold scores; the best trial has "
            f"{folds}. Available: --choose best, or more folds"
        )


def _parameters(study: Study, trials: Sequence[FrozenTrial]) -> list[int]:
    """Weights of each trial's network; those that an earlier version did not record are planned
    once more, on the study's data."""
    held = [records.recorded(trial, records.PARAMETERS) for trial in trials]
    if None not in held:
        return held
    definition = read_definition(study)
    if has_part(definition.code, BUILD):
        raise UsageError(
            "one-se compares the numbers of parameters of networks; those of study "
            f"{quoted(study.study_name)} are not recorded. Available: --choose best"
        )
    planner = Planner(*load_study_data(definition))
    plans = [planner.plan(definition.space.complete(own.params)) for own in trials]
    return [count_parameters(plan.model) for plan in plans]
