"""Optuna's samplers and pruners behind scikit-learn's search interface."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from scipy.stats import rankdata
from sklearn.base import is_regressor
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from tuner.sklearn.search.contexts import StackContexts
from tuner.sklearn.search.pipeline_steps import final_estimator, last_step_prefix
from tuner.sklearn.search.stacked import StackedSearchMixin
from tuner.sklearn.search.study_parts import estimator_space, opened_study, optuna_pruner
from tuner.sklearn.search.trials import StudyTrials
from tuner.study.pruners import max_epochs


class StudySearchCV(StackedSearchMixin, BaseSearchCV):
    """Search by an Optuna study, with scikit-learn's interface and results table.

    A trial is a candidate; its folds train in lockstep. After every epoch the trial reports the
    mean over the folds of the very score that the search is by, and the pruner may end it. Its
    row of `cv_results_` then has the scores where it ended; it never becomes the best one, and
    ranks behind all complete trials.

    Parameters
    ----------
    estimator : KerasMLPClassifier, KerasMLPRegressor, a Pipeline that ends in one; or any other
        estimator, which its own `fit` trains, one fold after another and never pruned
    space : a tuner Space, the name or the file of one, or a dict of the estimator's parameter
        names (`step__name` in a pipeline) to distributions of `optuna.distributions`
    sampler : a name (tpe, random, qmc, nsga2, brute-force, cmaes, gp) or an Optuna sampler
    pruner : a name (median, hyperband, successive-halving, percentile, patient, wilcoxon, none)
        or an Optuna pruner; steps are epochs
    n_trials : int, the trials that a call of `fit` adds to the study
    storage : None (in memory), a URL as `tuner --storage` takes it, or an Optuna storage
    study_name : str or None; with a storage that outlives the process, the study to go on with
    random_state : int, RandomState or None; of the sampler. The estimator has its own
    scoring, refit, cv, verbose, error_score, return_train_score : as in `GridSearchCV`

    Attributes
    ----------
    study_ : optuna.Study
    cv_results_ : as in `GridSearchCV`, besides `trial_number`, `trial_state` (complete, pruned,
        failed) and `epochs_run`; one row for each trial of this call
    best_estimator_, best_params_, best_score_, best_index_, ... : as in `GridSearchCV`
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearchCV._parameter_constraints,
        "sampler": [str, BaseSampler],
        "pruner": [str, BasePruner],
        "n_trials": [Interval(Integral, 1, None, closed="left")],
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
        storage: str | BaseStorage | None = None,
        study_name: str | None = None,
        scoring: Any = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
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
        self.storage = storage
        self.study_name = study_name
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Run the trials and refit the best one. `params` as in `GridSearchCV`."""
        return self._fit_in_stacks(X, y, params)

    def _run_search(
        self, evaluate_candidates: Callable[..., Any], *, callback_ctx: Any = None
    ) -> None:
        rows = self._search_rows
        cv = self._checked_cv_orig
        splits = list(cv.split(rows.X, rows.y, **rows.split_params))
        task = "regression" if is_regressor(self.estimator) else ""
        space = estimator_space(self.space, last_step_prefix(self.estimator), task)
        self.study_ = opened_study(self.storage, self.study_name)
        epochs = max_epochs(space, getattr(final_estimator(self.estimator), "epochs", None) or 1)
        self.study_.pruner = optuna_pruner(self.pruner, epochs)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        trials = StudyTrials(self, rows, self.study_, space, splits, seed)
        for _ in range(self.n_trials):
            trials.run()
        self._trials = trials
        rows.seconds.append(trials.seconds)
        context = callback_ctx.subcontext(
            task_name="search",
            max_subtasks=self.n_trials * self.n_splits_,
            sequential_subtasks=False,
        ).call_on_fit_task_begin(estimator=self)
        evaluate_candidates(
            trials.candidates, cv=check_cv(splits), callback_ctx=StackContexts(context, trials)
        )
        context.call_on_fit_task_end(estimator=self)
        del self._trials

    def _format_results(
        self, candidate_params: Any, n_splits: int, out: Any, more_results: Any = None
    ) -> Any:
        trials = self._trials
        results = super()._format_results(candidate_params, n_splits, out, more_results)
        results["trial_number"] = np.array(trials.numbers)
        results["trial_state"] = np.array(trials.states, dtype=object)
        results["epochs_run"] = np.array(trials.epochs)
        complete = results["trial_state"] == "complete"
        for name in [name for name in results if name.startswith("rank_test_")]:
            means = results[name.replace("rank_", "mean_")]
            results[name] = complete_first(means, complete)
        return results


def complete_first(means: NDArray[np.float64], complete: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Ranks from 1, the highest mean first: complete trials, then all others; NaN last among
    its own kind. Equal means share the lowest rank, as in scikit-learn."""
    known = np.nan_to_num(means, nan=np.nanmin(means) - 1 if np.isfinite(means).any() else 0.0)
    ranks = np.zeros(len(means), np.int32)
    for kind, before in ((complete, 0), (~complete, int(complete.sum()))):
        ranks[kind] = before + rankdata(-known[kind], method="min")
    return ranks
