"""scikit-learn's own tests of `GridSearchCV`, run against `StudySearchCV`: a grid of the sampler
`grid`, which has scikit-learn's candidates in its order."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution
from sklearn.model_selection import GridSearchCV
from sklearn.model_selection.tests import test_search as upstream

from tests.support.sklearn_upstream import upstream_tests
from tuner.sklearn import StudySearchCV


class GridStudySearchCV(StudySearchCV):
    """`StudySearchCV` with the constructor of `GridSearchCV`, in one process, its table without the
    columns of the study."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **StudySearchCV._parameter_constraints,
        "param_grid": [dict, list],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator,
            None,
            sampler="grid",
            pruner="none",
            n_trials=10_000,
            scoring=scoring,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid
        self.pre_dispatch = pre_dispatch

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        grids = self.param_grid if isinstance(self.param_grid, list) else [self.param_grid]
        [grid] = grids
        self.space = {name: CategoricalDistribution(values) for name, values in grid.items()}
        super().fit(X, y, **params)
        for name in ("trial_number", "trial_state", "epochs_run"):
            del self.cv_results_[name]
        return self


_SEVERAL = "several grids: a space is one, with conditions"
_NOT_FINITE = "every score is NaN: a candidate without a score is never the best one, fit says so"
#: Upstream tests of `GridSearchCV` that say nothing about `StudySearchCV`, with the reason.
NOT_APPLICABLE = {
    "test_grid_search_bad_param_grid": "the messages of ParameterGrid",
    "test_grid_search_cv_results": _SEVERAL,
    "test_grid_search_cv_results_multimetric": _SEVERAL,
    "test_custom_run_search": _SEVERAL,
    "test_predict_proba_disabled": "an empty grid: a space has a parameter",
    "test_unsupported_sample_weight_scorer": _NOT_FINITE,
    "test_search_cv_results_none_param": _NOT_FINITE,
    "test_array_api_search_cv_classifier": "array API dispatch needs packages that are not "
    "dependencies of this project",
}

#: Upstream's tests warn a lot; those that are about warnings catch them by themselves.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

UPSTREAM = {
    name: test
    for name, test in upstream_tests({GridSearchCV: GridStudySearchCV}, NOT_APPLICABLE).items()
    if GridSearchCV.__name__ in inspect.getsource(getattr(upstream, name))
}
globals().update(UPSTREAM)


def test_what_does_not_apply_exists_upstream() -> None:
    assert not set(NOT_APPLICABLE) - set(vars(upstream))
    assert len(UPSTREAM) > 60
