"""Optuna's samplers and pruners behind scikit-learn's search interface."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import optuna
from joblib import effective_n_jobs
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from sklearn.base import _fit_context, clone, is_classifier, is_regressor
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_method_params

from tuner.data.dataset import Task
from tuner.limits import MOST_TRIALS
from tuner.sklearn.search.estimator_trainer import EstimatorTrainer
from tuner.sklearn.search.search_task import SearchTask
from tuner.sklearn.search.study_table import (
    candidate_of,
    ended_trials,
    require_complete,
    split_results,
    with_trials,
)
from tuner.sklearn.search.study_task import task_and_definition
from tuner.sklearn.search.ticket_search import TicketSearch, value_errors
from tuner.study.data import DataFacts
from tuner.study.definition import StudyDefinition


class StudySearchCV(BaseSearchCV):
    """Search by an Optuna study, with scikit-learn's interface and results table.

    A trial is a candidate; its folds train in lockstep. It is a ticket of the study, worked on as
    those of `tuner optimize`. After every epoch the trial reports the mean over the folds of the
    very score that the search is by, and the pruner may end it. Its row of `cv_results_` then has
    the scores where it ended; it never becomes the best one, and ranks behind all complete trials.

    Parameters
    ----------
    estimator : KerasMLPClassifier, KerasMLPRegressor, a Pipeline that ends in one; or any other
        estimator, which its own `fit` trains, one fold after another and never pruned
    space : a tuner Space, the name or the file of one, or a dict of the estimator's parameter
        names (`step__name` in a pipeline) to distributions of `optuna.distributions`, whose choices
        may be anything
    sampler : a name (tpe, random, grid, sklearn-random, qmc, nsga2, brute-force, cmaes, gp) or an
        Optuna sampler; one that has nothing left to draw ends the search
    pruner : a name (median, hyperband, successive-halving, percentile, patient, wilcoxon, none)
        or an Optuna pruner; steps are epochs
    n_trials : int, the trials that a call of `fit` adds to the study
    timeout : seconds or None; what has not ended by then waits for the next call
    storage : None (in memory), a URL as `tuner --storage` takes it, or an Optuna storage
    study_name : str or None; with a storage, the study to go on with, which must be of the same
        search; None: each call makes a new one
    random_state : int, RandomState or None; of the sampler. The estimator has its own
    n_jobs : None or 1 for this process; else so many others, which share the rows
    scoring, refit, cv, verbose, error_score, return_train_score : as in `GridSearchCV`

    Attributes
    ----------
    study_ : optuna.Study
    cv_results_ : as in `GridSearchCV`, besides `trial_number`, `trial_state` (complete, pruned,
        failed) and `epochs_run`; one row for each trial of the study, also of earlier calls
    best_estimator_, best_params_, best_score_, best_index_, ... : as in `GridSearchCV`, over all
        complete trials of the study
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearchCV._parameter_constraints,
        "sampler": [str, BaseSampler],
        "pruner": [str, BasePruner],
        "n_trials": [Interval(Integral, 1, MOST_TRIALS, closed="both")],
        "timeout": [Interval(Real, 0, None, closed="neither"), None],
        "storage": [str, BaseStorage, None],
        "study_name": [str, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        space: Any,
        *,
        sampler: str | BaseSampler = "tpe",
        pruner: str | BasePruner = "median",
        n_trials: int = 20,
        timeout: float | None = None,
        storage: str | BaseStorage | None = None,
        study_name: str | None = None,
        scoring: Any = None,
        refit: Any = True,
        cv: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.space = space
        self.sampler = sampler
        self.pruner = pruner
        self.n_trials = n_trials
        self.timeout = timeout
        self.storage = storage
        self.study_name = study_name
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Run the trials and refit the best one. `params` as in `GridSearchCV`.

        Raises:
            ValueError: a parameter breaks a rule; the study is one of another search; no trial is
                complete (then `study_` is there to look at).
            StorageError: the storage cannot be used.
        """
        scorers, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        weight = params.get("sample_weight")
        rows = {"X": X, "y": y, "metadata": None if weight is None else {"sample_weight": weight}}
        context = self._init_callback_context(
            max_subtasks=1 + (self.refit is not False)
        ).call_on_fit_task_begin(estimator=self, **rows)
        cv = self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **routed.splitter.split))
        self.n_splits_ = len(splits)
        with value_errors():
            task, definition = task_and_definition(self, X, y, splits, scorers, routed, params)
            self.study_ = self._search(task, definition, context)
            trials = ended_trials(self.study_)
            out = split_results(self, trials, list(getattr(scorers, "_scorers", {})))
            require_complete(trials)
        # The type of a callable's scores is only known by now.
        self.multimetric_ = isinstance(out[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(out[0]["test_scores"])
            refit_metric = self.refit
        candidates = [candidate_of(trial, task.space) for trial in trials]
        results = with_trials(self._format_results(candidates, self.n_splits_, out), trials)
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]
        if self.refit:
            self._refit_best(context, rows, routed.estimator.fit)
        self.scorer_ = scorers._scorers if isinstance(scorers, _MultimetricScorer) else scorers
        self.cv_results_ = results
        context.call_on_fit_task_end(estimator=self, **rows)
        return self

    def _search(self, task: SearchTask, definition: StudyDefinition, context: Any) -> optuna.Study:
        """Let the trials run, told to scikit-learn's callbacks if they run in this process."""
        kind: Task = "regression" if is_regressor(self.estimator) else "multiclass"
        search = TicketSearch(
            task,
            definition,
            DataFacts(task.hash, kind),
            self.storage,
            self.study_name,
            self.random_state,
            effective_n_jobs(self.n_jobs),
            self.timeout,
        )
        own = context.subcontext(task_name="search", max_subtasks=None).call_on_fit_task_begin(
            estimator=self
        )
        fit = partial(own.subcontext, task_name="candidate-split-evaluation")
        told = hasattr(self, "_skl_callbacks")
        study = search.run(EstimatorTrainer(task, self, fit if told else None))
        own.call_on_fit_task_end(estimator=self)
        return study

    def _refit_best(self, context: Any, rows: Mapping[str, Any], fit_params: Any) -> None:
        """As `GridSearchCV` does."""
        self.best_estimator_ = clone(self.estimator).set_params(
            **clone(self.best_params_, safe=False)
        )
        own = context.subcontext(task_name="refit-with-best-params")
        with own.propagate_callback_context(self.best_estimator_):
            own.call_on_fit_task_begin(estimator=self, **rows)
            began, y = time.time(), rows["y"]
            self.best_estimator_.fit(rows["X"], *([] if y is None else [y]), **fit_params)
            self.refit_time_ = time.time() - began
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_
        own.call_on_fit_task_end(estimator=self, **rows)
