"""The scores of a fold's predictions: scikit-learn's functions, without their warnings.

Targets and predictions are as `tuner.planning.metrics.MetricInfo.compute` takes them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.errors import DataError

#: Targets and predictions to a score.
Score = Callable[[NDArray[Any], NDArray[Any]], float]


def rmse(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(y_true, y_pred))


def r2(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import r2_score

    if len(y_true) < 2:
        raise DataError(f"r2 needs at least 2 validation rows in every fold; got {len(y_true)}")
    return float(r2_score(y_true, y_pred))


def rmsle(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import root_mean_squared_log_error

    return float(root_mean_squared_log_error(y_true, np.maximum(y_pred, 0.0)))


def _decided(y_true: NDArray[Any], y_pred: NDArray[Any]) -> NDArray[np.int64]:
    """The predicted classes; of multilabel rows 0 and 1 for each label."""
    if y_pred.ndim == 2 and y_true.ndim == 1:
        return y_pred.argmax(axis=1)
    return (y_pred > 0.5).astype(np.int64)


def of_classes(function: str, average: str = "macro", *, occurring: bool = False) -> Score:
    """scikit-learn's `function`_score, mean over the classes or of class 1 (`binary`);
    `occurring`: over those classes that `y_true` has, as balanced_accuracy_score does, without
    its warning about the others."""

    def score(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
        from sklearn import metrics

        labels = np.unique(y_true) if occurring else None
        of_class = getattr(metrics, f"{function}_score")
        decided = _decided(y_true, y_pred)
        return float(of_class(y_true, decided, labels=labels, average=average, zero_division=0))

    return score


def matthews(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import matthews_corrcoef

    decided = _decided(y_true, y_pred)
    if len(np.unique(decided)) == 1:
        return 0.0  # scikit-learn's answer, without a warning if `y_true` is of that class too
    return float(matthews_corrcoef(y_true, decided))


def average_precision(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import average_precision_score

    if y_true.ndim == 1 and y_pred.ndim == 2:
        y_true = y_true[:, None] == _classes(y_pred)
    y_true, y_pred = y_true.reshape(len(y_true), -1), y_pred.reshape(len(y_pred), -1)
    # Without a positive row scikit-learn says 0, and warns.
    return float(
        np.mean(
            [
                average_precision_score(own, probabilities) if own.any() else 0.0
                for own, probabilities in zip(y_true.T, y_pred.T, strict=True)
            ]
        )
    )


def log_loss(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import log_loss

    return float(log_loss(y_true, _summing_to_one(y_pred), labels=_classes(y_pred)))


def roc_auc(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import roc_auc_score

    if y_true.ndim == 1:
        missing = sorted(set(_classes(y_pred).tolist()) - set(np.unique(y_true).tolist()))
    else:
        missing = [i for i, column in enumerate(y_true.T) if len(np.unique(column)) < 2]
    if missing:
        listed = ", ".join(map(str, missing[:10]))
        raise DataError(
            f"roc_auc needs rows of every class among the validation rows of every fold; "
            f"got none of class number {listed}. Use fewer folds, stratified folds, or log_loss"
        )
    if y_true.ndim == 1 and y_pred.ndim == 2:
        y_pred = _summing_to_one(y_pred)
        return float(roc_auc_score(y_true, y_pred, multi_class="ovr", average="macro"))
    return float(roc_auc_score(y_true, y_pred, average="macro"))


def _classes(y_pred: NDArray[Any]) -> NDArray[np.int64]:
    return np.arange(y_pred.shape[1] if y_pred.ndim == 2 else 2)


def _summing_to_one(y_pred: NDArray[Any]) -> NDArray[Any]:
    """Rows of probabilities, which float32 leaves a rounding away from the sum of 1 that
    scikit-learn asks for; `(rows,)` probabilities as they are."""
    return y_pred / y_pred.sum(axis=1, keepdims=True) if y_pred.ndim == 2 else y_pred
