"""A candidate that fails scores as `error_score` says, with scikit-learn's warnings and errors."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from tests.support.sklearn_searches import Stacks, digits, same_results
from tuner.sklearn import KerasMLPClassifier, StackedGridSearchCV

#: A combination that makes no plan (Adam has no momentum), one that diverges, and a sound one.
BAD: dict[str, Any] = {"optimizer": ["adam"], "momentum": [0.9]}
DIVERGING: dict[str, Any] = {
    "optimizer": ["sgd"],
    "learning_rate": [1e30],
    "loss": ["mse"],
    "activation": ["linear"],
}
SOUND: dict[str, Any] = {"learning_rate": [0.01]}


def classifier(**params: Any) -> KerasMLPClassifier:
    return KerasMLPClassifier((4,), epochs=2, batch_size=64, random_state=0, **params)


def as_grid(*candidates: dict[str, list[Any]]) -> list[dict[str, list[Any]]]:
    return list(candidates)


def regrouped(text: str) -> list[tuple[str, str]]:
    """How many fits failed by which error, from a message of scikit-learn."""
    counts = re.findall(r"(\d+) fits failed with the following error", text)
    errors = re.findall(r"^(?:\w+\.)*(\w+Error): (.*)$", text, re.MULTILINE)
    causes = [error for error in errors if error[0] in ("EstimatorError", "DivergedError", "Oops")]
    return sorted(zip(counts, dict.fromkeys(name for name, _ in causes), strict=True))


def searched(search: type, grid: Any, **settings: Any) -> tuple[Any, list[str]]:
    X, y = digits(300)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        own = search(classifier(), grid, cv=3, scoring="accuracy", **settings).fit(X, y)
    return own, [str(w.message) for w in caught if issubclass(w.category, FitFailedWarning)]


@pytest.mark.parametrize("error_score", [np.nan, -1.0])
def test_failing_candidates_get_the_error_score_and_the_search_goes_on(
    error_score: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks = Stacks(monkeypatch)
    grid = as_grid(BAD, DIVERGING, SOUND)
    ours, our_warnings = searched(StackedGridSearchCV, grid, error_score=error_score)
    assert stacks.networks == [3, 3, 1]
    stock, stock_warnings = searched(GridSearchCV, grid, error_score=error_score)
    same_results(ours.cv_results_, stock.cv_results_, rows=100)
    np.testing.assert_array_equal(
        ours.cv_results_["split1_test_score"][:2], [error_score, error_score]
    )
    assert ours.best_params_ == {"learning_rate": 0.01}
    assert len(our_warnings) == len(stock_warnings) == 1
    assert regrouped(our_warnings[0]) == regrouped(stock_warnings[0])
    assert regrouped(our_warnings[0]) == [("3", "DivergedError"), ("3", "EstimatorError")]
    assert "6 fits failed out of a total of 9" in our_warnings[0]


@pytest.mark.parametrize("bad", [BAD, DIVERGING])
def test_error_score_raise_raises(bad: dict[str, list[Any]]) -> None:
    raised = []
    for search in (StackedGridSearchCV, GridSearchCV):
        with pytest.raises(ValueError, match=r"momentum|diverge") as error:
            searched(search, as_grid(SOUND, bad), error_score="raise")
        raised.append((type(error.value), str(error.value)))
    assert raised[0] == raised[1]


def test_all_failing_raises_with_the_causes_grouped() -> None:
    messages = []
    for search in (StackedGridSearchCV, GridSearchCV):
        with pytest.raises(ValueError, match="All the 6 fits failed") as error:
            searched(search, as_grid(BAD, DIVERGING))
        messages.append(regrouped(str(error.value)))
    assert messages[0] == messages[1] == [("3", "DivergedError"), ("3", "EstimatorError")]


class Fails(TransformerMixin, BaseEstimator):
    """Refuses rows when told to, from the second split on."""

    def __init__(self, fail: bool = False) -> None:
        self.fail = fail

    def fit(self, X: Any, y: Any = None) -> Any:
        if self.fail and X[0, 0] == 1.0:
            raise RuntimeError("this step refuses")
        return self

    def transform(self, X: Any) -> Any:
        return X

    def __sklearn_is_fitted__(self) -> bool:
        return True


def test_a_failing_step_fails_its_splits_only(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = Stacks(monkeypatch)
    X, y = digits(200)
    X[0, 0] = 1.0  # the first training row of the second split
    splits = [(np.arange(100, 200), np.arange(100)), (np.arange(100), np.arange(100, 200))]
    pipeline = Pipeline([("step", Fails()), ("net", classifier())])
    results = []
    for search in (StackedGridSearchCV, GridSearchCV):
        own = search(pipeline, {"step__fail": [True, False]}, cv=splits, refit=False)
        with pytest.warns(FitFailedWarning, match="this step refuses"):
            results.append(own.fit(X, y).cv_results_)
        if search is StackedGridSearchCV:
            assert stacks.networks == [1, 2]
    same_results(*results, rows=100)  # type: ignore[misc]
    assert np.isnan(results[0]["split1_test_score"]).tolist() == [True, False]


def test_parameters_that_do_not_exist_are_refused_as_ever() -> None:
    X, y = digits(100)
    for grid in ({"neurons": [3]}, {"epochs": [1], "neurons": [3]}):
        with pytest.raises(ValueError, match="Invalid parameter 'neurons'"):
            StackedGridSearchCV(classifier(), grid, cv=2).fit(X, y)


def test_rows_that_cannot_be_read_fail_as_they_do_in_fit() -> None:
    X, y = digits(100)
    X[:, 3] = np.nan
    with pytest.raises(ValueError, match=r"All the 4 fits failed[\s\S]*contains NaN"):
        StackedGridSearchCV(classifier(), {"epochs": [1, 2]}, cv=2).fit(X, y)
