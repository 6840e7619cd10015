"""scikit-learn's own tests of its search classes, run against the stacked ones.

They hold the classes to everything that is scikit-learn's:
results table, refit, scoring, error scores, groups, routing, callbacks, tags, pickling. Where a
search over *our* estimators differs, `test_stacked_*.py` compares it with the stock classes.
"""

from __future__ import annotations

import pytest
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.model_selection.tests import test_search as upstream

from tests.support.sklearn_upstream import upstream_tests
from tuner.sklearn import StackedGridSearchCV, StackedRandomizedSearchCV

STACKED = {GridSearchCV: StackedGridSearchCV, RandomizedSearchCV: StackedRandomizedSearchCV}

#: Upstream tests that say nothing about the stacked classes, with the reason.
NOT_APPLICABLE = {
    "test_validate_parameter_input": "ParameterGrid and ParameterSampler alone",
    "test_parameter_grid": "ParameterGrid alone",
    "test_param_sampler": "ParameterSampler alone",
    "test_parameters_sampler_replacement": "ParameterSampler alone",
    "test_yield_masked_array_for_each_param": "a private helper of scikit-learn alone",
    "test_yield_masked_array_no_runtime_warning": "a private helper of scikit-learn alone",
    "test_array_api_search_cv_classifier": "array API dispatch needs packages that are not "
    "dependencies of this project",
    "test_custom_run_search": "subclasses BaseSearchCV itself, neither of the two classes",
    "test__custom_fit_no_run_search": "subclasses BaseSearchCV itself, neither of the two classes",
}


#: Upstream's tests warn a lot; those that are about warnings catch them by themselves.
pytestmark = pytest.mark.filterwarnings("ignore")

#: Those of seconds.
SLOW = (
    "test_cv_results_dtype_issue_29074",
    "test_n_features_in",
    "test_random_search_cv_results_multimetric",
    "test_search_cv_sample_weight_equivalence",
    "test_search_with_2d_array",
    "test_unsupervised_grid_search",
    "test_unsupported_sample_weight_scorer",
)

UPSTREAM = upstream_tests(STACKED, NOT_APPLICABLE)
UPSTREAM |= {name: pytest.mark.slow(UPSTREAM[name]) for name in SLOW}
globals().update(UPSTREAM)


def test_what_does_not_apply_exists_upstream() -> None:
    """A test that scikit-learn renames must be looked at again."""
    assert not set(NOT_APPLICABLE) - set(vars(upstream))
    assert len(UPSTREAM) > 80


def test_the_exchange_reaches_names_and_parametrisation() -> None:
    function = UPSTREAM["test_SearchCV_with_fit_params"]
    assert function.__globals__["GridSearchCV"] is StackedGridSearchCV
    assert function.pytestmark[0].args[1] == [StackedGridSearchCV, StackedRandomizedSearchCV]
