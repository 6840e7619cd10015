"""scikit-learn's grid and random search over stacks: the fits are ours, all else is stock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from joblib import effective_n_jobs, parallel_config
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, check_cv

from tuner.sklearn.search.contexts import StackContexts
from tuner.sklearn.search.fits import SplitCache, StackedFits
from tuner.sklearn.search.pipeline_steps import final_estimator


@dataclass
class SearchRows:
    """What one call of `fit` searches on, while it runs.

    Attributes:
        X, y: as scikit-learn made them indexable.
        split_params, fit_params, score_params: what it routes to the splitter, the estimator and
            the scorer.
        seconds: for each call of `evaluate_candidates` so far, per evaluation its share of its
            stack's time; None if the estimator's own `fit` ran.
        jobs: stacks that train at a time.
    """

    X: Any = None
    y: Any = None
    split_params: Mapping[str, Any] = field(default_factory=dict)
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    score_params: Mapping[str, Any] = field(default_factory=dict)
    seconds: list[list[float | None]] = field(default_factory=list)
    jobs: int = 1


class StackedSearchMixin:
    """In front of a class of `sklearn.model_selection`: candidates whose estimator (or whose
    pipeline's last step) is a `KerasMLPClassifier` or `KerasMLPRegressor` train in stacks, all
    folds of many candidates at once. Every other estimator is fitted as the stock class does.

    With `n_jobs` so many stacks train at a time, in threads; scores do not depend on it.
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """As the stock class. See there for `params`."""
        if final_estimator(self.estimator) is None:  # type: ignore[attr-defined]
            return super().fit(X, y, **params)  # type: ignore[misc]
        return self._fit_in_stacks(X, y, params)

    def _fit_in_stacks(self, X: Any, y: Any, params: Mapping[str, Any]) -> Any:
        jobs = effective_n_jobs(self.n_jobs)  # type: ignore[attr-defined]
        self._search_rows = SearchRows(jobs=jobs)
        try:
            with parallel_config(backend="sequential"):
                return super().fit(X, y, **params)  # type: ignore[misc]
        finally:
            del self._search_rows

    def _get_routed_params_for_fit(self, params: Any) -> Any:
        routed = super()._get_routed_params_for_fit(params)  # type: ignore[misc]
        if hasattr(self, "_search_rows"):
            self._search_rows.fit_params = routed.estimator.fit
            self._search_rows.score_params = routed.scorer.score
        return routed

    def _check_input_parameters(self, X: Any, y: Any, split_params: Any) -> None:
        super()._check_input_parameters(X, y, split_params)  # type: ignore[misc]
        if hasattr(self, "_search_rows"):
            rows = self._search_rows
            rows.X, rows.y, rows.split_params = X, y, split_params

    def _run_search(
        self, evaluate_candidates: Callable[..., Any], *, callback_ctx: Any = None
    ) -> None:
        if hasattr(self, "_search_rows"):
            evaluate_candidates = partial(self._evaluate, evaluate_candidates)
        super()._run_search(evaluate_candidates, callback_ctx=callback_ctx)  # type: ignore[misc]

    def _evaluate(
        self,
        evaluate_candidates: Callable[..., Any],
        candidate_params: Iterable[Mapping[str, Any]],
        cv: Any = None,
        more_results: Any = None,
        callback_ctx: Any = None,
    ) -> Any:
        """scikit-learn's `evaluate_candidates` with stacks in the place of single fits."""
        rows = self._search_rows
        candidates = list(candidate_params)
        cv = cv or self._checked_cv_orig  # type: ignore[attr-defined]
        splits = list(cv.split(rows.X, rows.y, **rows.split_params))
        cache = SplitCache(list(splits), rows.X, rows.y, rows.fit_params)
        fits = StackedFits(self.estimator, candidates, cache, jobs=rows.jobs)  # type: ignore[attr-defined]
        rows.seconds.append(fits.seconds)
        if not self.return_train_score and not hasattr(self, "_skl_callbacks"):  # type: ignore[attr-defined]
            # Nobody will look at the training rows that scikit-learn would copy for each fit.
            for number in fits.stacked_splits():
                splits[number] = (np.empty(0, np.intp), splits[number][1])
        with closing(fits):
            return evaluate_candidates(
                candidates,
                cv=check_cv(splits),
                more_results=more_results,
                callback_ctx=StackContexts(callback_ctx, fits),
            )

    def _format_results(
        self, candidate_params: Any, n_splits: int, out: Any, more_results: Any = None
    ) -> Any:
        if hasattr(self, "_search_rows"):
            for result, share in zip(out, chain(*self._search_rows.seconds), strict=True):
                if share is not None:
                    result["fit_time"] = share
        return super()._format_results(  # type: ignore[misc]
            candidate_params, n_splits, out, more_results
        )


class StackedGridSearchCV(StackedSearchMixin, GridSearchCV):
    """`sklearn.model_selection.GridSearchCV` that trains `KerasMLPClassifier` and
    `KerasMLPRegressor`, bare or as a pipeline's last step, in stacks: same arguments, same
    attributes, same results table. `fit_time` is a fit's share of its stack's time.
    """


class StackedRandomizedSearchCV(StackedSearchMixin, RandomizedSearchCV):
    """`sklearn.model_selection.RandomizedSearchCV` in stacks: see `StackedGridSearchCV`."""
