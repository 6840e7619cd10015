"""From a search in its `fit` to what its tickets train, and to the definition of its study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import BaseSampler
from sklearn.base import clone, is_regressor
from sklearn.utils import check_random_state

from tuner.data.dataset import IN_A_PROGRAM
from tuner.data.folds import FoldSpec
from tuner.errors import UsageError
from tuner.limits import MOST_FOLDS
from tuner.sklearn.search.pipeline_steps import final_estimator, last_step_prefix
from tuner.sklearn.search.search_task import SearchTask
from tuner.sklearn.search.split_scores import SCORE
from tuner.sklearn.search.study_parts import (
    by_name,
    content_hash,
    estimator_space,
    facts_of,
    scorer_names,
)
from tuner.study.by_object import CustomSampler
from tuner.study.data_spec import DataSpec
from tuner.study.definition import StudyDefinition
from tuner.study.objective import ObjectiveSpec
from tuner.study.pruners import PRUNERS, CustomPruner, NoPruner, Pruner, max_epochs
from tuner.study.sampler import Sampler
from tuner.study.samplers import SAMPLERS, require_packages_of


def task_and_definition(
    search: Any,
    X: Any,
    y: Any,
    splits: Sequence[Any],
    scorers: Any,
    routed: Any,
    params: Mapping[str, Any],
) -> tuple[SearchTask, StudyDefinition]:
    """Of a `StudySearchCV`; the definition has the trials of this call.

    Args:
        routed: what scikit-learn routes of `params`, those of `fit`.

    Raises UsageError (its subclasses) for a space, sampler or pruner that breaks a rule.
    """
    if not splits:
        raise UsageError("a search needs splits; cv gives none")
    estimator = search.estimator
    task = "regression" if is_regressor(estimator) else ""
    space = estimator_space(search.space, last_step_prefix(estimator), task)
    epochs = max_epochs(space.space, getattr(final_estimator(estimator), "epochs", None) or 1)
    sampler, own_sampler = _sampler(search.sampler)
    pruner, own_pruner = _pruner(search.pruner, epochs)
    facts = {"splits": f"{len(splits)} splits"}
    if search.storage is not None:  # something that can be gone on with
        cv, scoring = search._checked_cv_orig, search.scoring or "score"
        facts = facts_of(estimator, space, X, y, splits, cv, scoring, params)
    metrics = tuple(
        f"{SCORE}{name}" for name in scorer_names(search.scoring, scorers, search.refit)
    )
    definition = StudyDefinition(
        space=space.space,
        data=DataSpec(uri=f"{IN_A_PROGRAM}:{type(estimator).__name__}"),
        search=facts,
        folds=FoldSpec(k=min(max(2, len(splits)), MOST_FOLDS)),
        sampler=sampler,
        pruner=pruner,
        objective=ObjectiveSpec(metric=metrics[0]),
        metrics=metrics[1:],
        trials=int(search.n_trials),
        seed=int(check_random_state(search.random_state).randint(np.iinfo(np.int32).max)),
    )
    return SearchTask(
        estimator=clone(estimator),
        X=X,
        y=y,
        splits=splits,
        scorer=scorers,
        fit_params=routed.estimator.fit,
        score_params=routed.scorer.score,
        metrics=metrics,
        settings={
            "error_score": search.error_score,
            "return_train_score": search.return_train_score,
            "verbose": search.verbose,
        },
        space=space,
        sampler=own_sampler,
        pruner=own_pruner,
        hash="" if search.storage is None else content_hash(facts),
        prunes=pruner.prunes,
    ), definition


def _sampler(given: str | BaseSampler) -> tuple[Sampler, BaseSampler | None]:
    """The definition's sampler, and the object that draws in its place."""
    if isinstance(given, BaseSampler):
        require_packages_of(given)
        return CustomSampler(type=type(given).__name__), given
    own: Sampler = by_name(SAMPLERS, given)
    return own, None


def _pruner(given: str | BasePruner, epochs: int) -> tuple[Pruner, BasePruner | None]:
    """The same of the pruner; trials train at most `epochs`."""
    if isinstance(given, BasePruner):
        nothing = isinstance(given, NopPruner)
        return NoPruner() if nothing else CustomPruner(type=type(given).__name__), given
    own: Pruner = by_name(PRUNERS, given, max_resource=epochs)
    return own, None
