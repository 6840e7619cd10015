"""The metrics a study may ask for: their direction, the tasks they fit, and where they come from.

Two kinds. A `sum` metric is a mean over rows, so the training graph adds it up as it goes. A
`predictions` metric needs all predictions of a fold at once, and is scikit-learn's function of
that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Task
from tuner.errors import DataError, PlanError, unknown

Direction = Literal["maximize", "minimize"]
MetricKind = Literal["sum", "predictions"]

ALL_TASKS: tuple[Task, ...] = get_args(Task)
CLASSES: tuple[Task, ...] = ("binary", "multiclass")
LABELS: tuple[Task, ...] = ("binary", "multiclass", "multilabel")
VALUES: tuple[Task, ...] = ("regression",)


@dataclass(frozen=True)
class MetricInfo:
    """One metric. `tasks` are those it can be asked for; `help` says what it is in one line."""

    name: str
    direction: Direction
    tasks: tuple[Task, ...]
    kind: MetricKind
    help: str

    def compute(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
        """The score of a `predictions` metric by scikit-learn's function.

        `y_true` and `y_pred` by task: binary `(rows,)` class numbers and `(rows,)` probabilities
        of class 1; multiclass `(rows,)` and `(rows, classes)`; multilabel `(rows, labels)` both;
        regression `(rows, outputs)` both (`(rows,)` for a single output is as good). A class is
        predicted where its probability is the largest (binary and multilabel: above one half).

        Raises ValueError for a `sum` metric, and DataError where the rows leave the metric
        undefined (`roc_auc` without rows of every class). NaN among the predictions gives NaN.
        """
        if self.kind == "sum":
            raise ValueError(f"{self.name} is summed over rows while training, not computed here")
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, dtype=np.float64)
        if y_pred.ndim == 2 and y_pred.shape[1] == 1:
            y_true, y_pred = y_true.reshape(-1), y_pred.reshape(-1)
        if not np.isfinite(y_pred).all():
            return float("nan")
        return _compute(self.name, y_true, y_pred)


def _decided(y_true: NDArray[Any], y_pred: NDArray[Any]) -> NDArray[np.int64]:
    """Probabilities to class numbers `(rows,)`, or to labels `(rows, labels)` of 0 and 1."""
    if y_pred.ndim == 2 and y_true.ndim == 1:
        return y_pred.argmax(axis=1)
    return (y_pred > 0.5).astype(np.int64)


def _compute(name: str, y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn import metrics

    if name == "rmse":
        return float(metrics.root_mean_squared_error(y_true, y_pred))
    if name == "r2":
        if len(y_true) < 2:
            raise DataError(f"r2 needs at least 2 validation rows in every fold; got {len(y_true)}")
        return float(metrics.r2_score(y_true, y_pred))
    if name == "roc_auc":
        return _roc_auc(y_true, y_pred)
    if name == "log_loss":
        return float(metrics.log_loss(y_true, _summing_to_one(y_pred), labels=_classes(y_pred)))
    decided = _decided(y_true, y_pred)
    if name == "balanced_accuracy":
        # scikit-learn's recall averaged over the classes that occur, as balanced_accuracy_score
        # does, without its warning about classes that are only predicted.
        present = np.unique(y_true)
        return float(
            metrics.recall_score(y_true, decided, labels=present, average="macro", zero_division=0)
        )
    function = {
        "f1_macro": metrics.f1_score,
        "precision_macro": metrics.precision_score,
        "recall_macro": metrics.recall_score,
    }[name]
    return float(function(y_true, decided, average="macro", zero_division=0))


def _classes(y_pred: NDArray[Any]) -> NDArray[np.int64]:
    return np.arange(y_pred.shape[1] if y_pred.ndim == 2 else 2)


def _summing_to_one(y_pred: NDArray[Any]) -> NDArray[Any]:
    """Rows of probabilities, which float32 leaves a rounding away from the sum of 1 that
    scikit-learn asks for; `(rows,)` probabilities as they are."""
    return y_pred / y_pred.sum(axis=1, keepdims=True) if y_pred.ndim == 2 else y_pred


def _roc_auc(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
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


_TABLE = (
    MetricInfo("loss", "minimize", ALL_TASKS, "sum", "the training loss, without L1 and L2"),
    MetricInfo("accuracy", "maximize", LABELS, "sum", "share of rows that are right"),
    MetricInfo("top_5_accuracy", "maximize", ("multiclass",), "sum", "right class among the top 5"),
    MetricInfo("hamming", "minimize", LABELS, "sum", "share of wrong classes, of wrong labels"),
    MetricInfo("mse", "minimize", ALL_TASKS, "sum", "mean squared error (of probabilities)"),
    MetricInfo("mae", "minimize", ALL_TASKS, "sum", "mean absolute error (of probabilities)"),
    MetricInfo("rmse", "minimize", VALUES, "predictions", "root mean squared error"),
    MetricInfo("r2", "maximize", VALUES, "predictions", "coefficient of determination"),
    MetricInfo("f1_macro", "maximize", LABELS, "predictions", "F1, mean over classes"),
    MetricInfo(
        "precision_macro", "maximize", LABELS, "predictions", "precision, mean over classes"
    ),
    MetricInfo("recall_macro", "maximize", LABELS, "predictions", "recall, mean over classes"),
    MetricInfo("balanced_accuracy", "maximize", CLASSES, "predictions", "mean recall of classes"),
    MetricInfo("roc_auc", "maximize", LABELS, "predictions", "area under ROC, one class vs rest"),
    MetricInfo("log_loss", "minimize", CLASSES, "predictions", "cross-entropy of probabilities"),
)

METRICS: Mapping[str, MetricInfo] = {info.name: info for info in _TABLE}


def metrics_for(task: Task) -> tuple[str, ...]:
    """The names of all metrics that fit `task`, in the order of the table."""
    return tuple(info.name for info in METRICS.values() if task in info.tasks)


def default_metric(task: Task) -> str:
    """The objective where a study names none: `r2` for regression, else `accuracy`."""
    return "r2" if task == "regression" else "accuracy"


def metric_direction(name: str) -> Direction:
    """`maximize` or `minimize`. Raises PlanError for an unknown metric."""
    if name not in METRICS:
        raise PlanError(unknown("metric", name, METRICS))
    return METRICS[name].direction


def check_metric(name: str, task: Task) -> MetricInfo:
    """The metric of that name. Raises PlanError where it is unknown or does not fit `task`."""
    if name not in METRICS:
        raise PlanError(unknown("metric", name, metrics_for(task)))
    info = METRICS[name]
    if task not in info.tasks:
        raise PlanError(
            f"metric {name!r} is for {', '.join(info.tasks)} tasks; this task is {task}. "
            f"Available: {', '.join(metrics_for(task))}"
        )
    return info
