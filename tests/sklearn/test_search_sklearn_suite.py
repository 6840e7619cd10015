"""scikit-learn's own tests of its search classes, run against the stacked ones.

The test functions are those of the installed `sklearn.model_selection.tests.test_search`, made
anew over a namespace in which `GridSearchCV` and `RandomizedSearchCV` are ours, with the same
exchange in their parametrisation. They hold the classes to everything that is scikit-learn's:
results table, refit, scoring, error scores, groups, routing, callbacks, tags, pickling. Where a
search over *our* estimators differs, `test_stacked_*.py` compares it with the stock classes.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.model_selection.tests import test_search as upstream

from tuner.sklearn import StackedGridSearchCV, StackedRandomizedSearchCV

STACKED = {GridSearchCV: StackedGridSearchCV, RandomizedSearchCV: StackedRandomizedSearchCV}

#: What is kept of upstream's marks: those for its own runners are not.
MARKS = ("parametrize", "skipif", "filterwarnings")

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


def exchanged(value: Any) -> Any:
    """`value` with the stock classes, and instances of them, exchanged for the stacked ones."""
    if isinstance(value, type):
        return STACKED.get(value, value)
    if type(value) in STACKED:
        return STACKED[type(value)](**value.get_params(deep=False))
    if hasattr(value, "_replace"):  # pytest.param(...)
        return value._replace(values=exchanged(value.values))
    if isinstance(value, tuple | list):
        return type(value)(exchanged(item) for item in value)
    return value


def exchanged_mark(mark: Any) -> Any:
    if mark.name != "parametrize":
        return mark
    names, values, *rest = mark.args
    return pytest.mark.parametrize(names, exchanged(list(values)), *rest, **mark.kwargs).mark


def remade(function: Any, namespace: dict[str, Any]) -> Any:
    """`function` of the upstream module over another namespace, what decorates it included."""
    cells, own = function.__closure__, namespace
    if function.__globals__ is not vars(upstream):  # a decorator's: what it wraps is upstream's
        inner, own = function.__wrapped__, function.__globals__
        cells = tuple(
            types.CellType(remade(inner, namespace)) if cell.cell_contents is inner else cell
            for cell in cells
        )
    made = types.FunctionType(
        function.__code__, own, function.__name__, function.__defaults__, cells
    )
    made.__kwdefaults__ = function.__kwdefaults__
    if own is not namespace:
        functools.update_wrapper(made, function)
    made.__dict__["pytestmark"] = [
        exchanged_mark(mark) for mark in getattr(function, "pytestmark", []) if mark.name in MARKS
    ]
    return made


def upstream_tests() -> Iterator[tuple[str, Any]]:
    namespace = {name: exchanged(value) for name, value in vars(upstream).items()}
    for name, value in vars(upstream).items():
        if isinstance(value, types.FunctionType) and value.__module__ == upstream.__name__:
            namespace[name] = remade(value, namespace)
            if name.startswith("test_") and name not in NOT_APPLICABLE:
                yield name, namespace[name]


#: Upstream's tests warn a lot; those that are about warnings catch them by themselves.
pytestmark = pytest.mark.filterwarnings("ignore")

UPSTREAM = dict(upstream_tests())
globals().update(UPSTREAM)


def test_what_does_not_apply_exists_upstream() -> None:
    """A test that scikit-learn renames must be looked at again."""
    assert not set(NOT_APPLICABLE) - set(vars(upstream))
    assert len(UPSTREAM) > 80


def test_the_exchange_reaches_names_and_parametrisation() -> None:
    function = UPSTREAM["test_SearchCV_with_fit_params"]
    assert function.__globals__["GridSearchCV"] is StackedGridSearchCV
    assert function.pytestmark[0].args[1] == [StackedGridSearchCV, StackedRandomizedSearchCV]
