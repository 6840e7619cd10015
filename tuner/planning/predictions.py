"""Predictions behind the interface of an estimator, which scikit-learn's scorers ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Task


def predictions_as_estimator(
    task: Task, classes: Sequence[Any] | None, y_true: NDArray[Any], y_pred: NDArray[Any]
) -> tuple[Any, NDArray[Any], NDArray[Any]]:
    """An estimator that has predicted already, the numbers of its rows `(rows, 1)`, and the targets
    as scikit-learn has them.

    Args:
        classes: the labels in the order of their numbers; None: the numbers.
        y_true, y_pred: as `MetricInfo.compute` takes them.
    """
    rows = np.arange(len(y_true))[:, None]
    if task == "regression":
        return _regressor(y_pred), rows, y_true
    if task == "multilabel":
        return _classifier(y_pred, np.arange(y_pred.shape[1]), True), rows, y_true.astype(np.int64)
    both = np.stack([1 - y_pred, y_pred], axis=1) if task == "binary" else y_pred
    # float32 leaves them a rounding away from the sum of 1 that scikit-learn asks for.
    both = both / both.sum(axis=1, keepdims=True)
    labels = np.arange(both.shape[1]) if classes is None else np.array(classes)
    return _classifier(both, labels, False), rows, labels[y_true.astype(np.int64)]


def _regressor(values: NDArray[Any]) -> Any:
    from sklearn.base import BaseEstimator, RegressorMixin

    class Predicted(RegressorMixin, BaseEstimator):
        def predict(self, rows: NDArray[Any]) -> NDArray[Any]:
            return values[rows[:, 0]]

    return Predicted()


def _classifier(probabilities: NDArray[Any], labels: NDArray[Any], several: bool) -> Any:
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Predicted(ClassifierMixin, BaseEstimator):
        classes_ = labels

        def predict_proba(self, rows: NDArray[Any]) -> NDArray[Any]:
            return probabilities[rows[:, 0]]

        def predict(self, rows: NDArray[Any]) -> NDArray[Any]:
            own = probabilities[rows[:, 0]]
            return (own > 0.5).astype(np.int64) if several else labels[own.argmax(axis=1)]

    return Predicted()
