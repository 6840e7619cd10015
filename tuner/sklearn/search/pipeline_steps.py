"""What a pipeline does before its last step, once for each split, for all candidates alike; and
the estimator that learns, a bare one or that last step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

from tuner.sklearn.estimators import KerasMLPClassifier, KerasMLPRegressor
from tuner.sklearn.estimators.base import KerasMLP


def final_estimator(estimator: Any) -> KerasMLPClassifier | KerasMLPRegressor | None:
    """Our estimator in `estimator`; None if there is none that a stack can train.

    A subclass with a `fit` of its own is not ours to train.
    """
    final = estimator
    if type(estimator) is Pipeline:
        final = estimator.steps[-1][1] if estimator.steps else None
    for ours in (KerasMLPClassifier, KerasMLPRegressor):
        if isinstance(final, ours) and type(final).fit is ours.fit:
            return final
    return None


def last_step_prefix(estimator: Any) -> str:
    """What stands before a parameter of the estimator that learns."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""


@dataclass(frozen=True, eq=False)
class FittedSteps:
    """The fitted steps before the last one, and what they hand on to it in one split.

    Attributes:
        steps: names and transformers; none for a bare estimator.
        X, y, fit_params: what the last step's `fit` is called with. If the estimator
            `reads_whole`, `X` and `y` are all rows of the search, of which `rows` are the
            split's; else they are the split's.
        rows: row numbers into `X`.
    """

    steps: tuple[tuple[str, Any], ...]
    X: Any
    y: Any
    fit_params: Mapping[str, Any]
    rows: NDArray[np.int32]

    def put_into(self, estimator: Any) -> Any:
        """Give `estimator`, if it is a pipeline, these steps; returns the one that learns."""
        if isinstance(estimator, Pipeline):
            estimator.steps[:-1] = list(self.steps)
        return final_estimator(estimator)


def steps_key(estimator: Any, params: Mapping[str, Any], final: KerasMLP) -> str:
    """Equal for candidates whose pipelines do the same before the last step, `final`, which
    reads its rows alike."""
    ours: dict[str, Any] = {}
    if isinstance(estimator, Pipeline):
        last = estimator.steps[-1][0]
        ours = {
            name: value
            for name, value in params.items()
            if name != last and not name.startswith(f"{last}__")
        }
    return str(joblib.hash((ours, final.categorical_features)))


def reads_whole(estimator: Any) -> bool:
    """Whether the rows of all splits are read at once: nothing is learned from them, neither by
    steps of a pipeline nor by the estimator about a table's columns."""
    final: Any = final_estimator(estimator)
    return final is estimator and final.categorical_features is None


def fit_steps(
    estimator: Any, X: Any, y: Any, train: Any, fit_params: Mapping[str, Any]
) -> FittedSteps:
    """The rows `train` brought to the last step of `estimator` by scikit-learn's own
    `Pipeline.fit`, on a clone, whose last step's `fit` only takes down what it is called with.

    Raises whatever a step raises.
    """
    params = _check_method_params(X, params=fit_params, indices=train)
    if reads_whole(estimator):
        rows = np.arange(_num_samples(X), dtype=np.int32)[np.asarray(train)]
        return FittedSteps((), X, y, params, rows)
    X_train, y_train = _safe_split(estimator, X, y, train)
    if not isinstance(estimator, Pipeline):
        rows = np.arange(_num_samples(X_train), dtype=np.int32)
        return FittedSteps((), X_train, y_train, params, rows)
    pipeline = clone(estimator)
    final: Any = final_estimator(pipeline)
    calls: list[tuple[Any, Any, Mapping[str, Any]]] = []
    final.fit = lambda X, y=None, **own: calls.append((X, y, own))
    pipeline.fit(X_train, y_train, **params)
    ((X_last, y_last, own),) = calls
    rows = np.arange(_num_samples(X_last), dtype=np.int32)
    return FittedSteps(tuple(pipeline.steps[:-1]), X_last, y_last, own, rows)
