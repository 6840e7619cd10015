"""The metrics a study may ask for: their direction, the tasks they fit, and where they come from.

Two kinds. A `sum` metric is a mean over rows, so the training graph adds it up as it goes. A
`predictions` metric needs all predictions of a fold at once, and is scikit-learn's function of
that name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import CLASSES, Task
from tuner.errors import DataError, PlanError, unknown

Direction = Literal["maximize", "minimize"]
#: Targets and predictions, as `MetricInfo.compute` hands them over, to a score.
Score = Callable[[NDArray[Any], NDArray[Any]], float]

ALL_TASKS: tuple[Task, ...] = get_args(Task)
LABELS: tuple[Task, ...] = ("binary", "multiclass", "multilabel")
VALUES: tuple[Task, ...] = ("regression",)
MANY: tuple[Task, ...] = ("multiclass",)
UP: Direction = "maximize"
DOWN: Direction = "minimize"


@dataclass(frozen=True)
class MetricInfo:
    """One metric. `tasks` are those it can be asked for; `help` says what it is in one line;
    `score` is the function of a `predictions` metric, None for a `sum` metric."""

    name: str
    direction: Direction
    tasks: tuple[Task, ...]
    help: str
    score: Score | None = None

    def compute(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
        """The score of a `predictions` metric by scikit-learn's function.

        `y_true` and `y_pred` by task: binary `(rows,)` class numbers and `(rows,)` probabilities
        of class 1; multiclass `(rows,)` and `(rows, classes)`; multilabel `(rows, labels)` both;
        regression `(rows, outputs)` both (`(rows,)` for a single output is as good). A class is
        predicted if its probability is the largest (binary and multilabel: above one half).

        Raises ValueError for a `sum` metric, and DataError if the rows leave the metric
        undefined (`roc_auc` without rows of every class). NaN among the predictions gives NaN.
        """
        if self.score is None:
            raise ValueError(f"{self.name} is summed over rows while training, not computed here")
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, dtype=np.float64)
        if y_pred.ndim == 2 and y_pred.shape[1] == 1:
            y_true, y_pred = y_true.reshape(-1), y_pred.reshape(-1)
        if not np.isfinite(y_pred).all():
            return float("nan")
        return float(self.score(y_true, y_pred))


def _rmse(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(y_true, y_pred))


def _r2(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import r2_score

    if len(y_true) < 2:
        raise DataError(f"r2 needs at least 2 validation rows in every fold; got {len(y_true)}")
    return float(r2_score(y_true, y_pred))


def _macro(function: str, *, occurring: bool = False) -> Score:
    """scikit-learn's `function`_score, mean over the classes; `occurring`: over those that
    `y_true` has, as balanced_accuracy_score does, without its warning about the others."""

    def score(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
        from sklearn import metrics

        if y_pred.ndim == 2 and y_true.ndim == 1:
            decided = y_pred.argmax(axis=1)
        else:
            decided = (y_pred > 0.5).astype(np.int64)
        labels = np.unique(y_true) if occurring else None
        of_class = getattr(metrics, f"{function}_score")
        return float(of_class(y_true, decided, labels=labels, average="macro", zero_division=0))

    return score


def _log_loss(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    from sklearn.metrics import log_loss

    return float(log_loss(y_true, _summing_to_one(y_pred), labels=_classes(y_pred)))


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


def _classes(y_pred: NDArray[Any]) -> NDArray[np.int64]:
    return np.arange(y_pred.shape[1] if y_pred.ndim == 2 else 2)


def _summing_to_one(y_pred: NDArray[Any]) -> NDArray[Any]:
    """Rows of probabilities, which float32 leaves a rounding away from the sum of 1 that
    scikit-learn asks for; `(rows,)` probabilities as they are."""
    return y_pred / y_pred.sum(axis=1, keepdims=True) if y_pred.ndim == 2 else y_pred


_TABLE = (
    MetricInfo("loss", DOWN, ALL_TASKS, "the training loss, without the L1 and L2 penalties"),
    MetricInfo("accuracy", UP, LABELS, "share of rows that are right, each with all its labels"),
    MetricInfo("top_5_accuracy", UP, MANY, "share of rows with the right class among the top five"),
    MetricInfo("hamming", DOWN, LABELS, "Hamming distance: share of wrong classes or labels"),
    MetricInfo(
        "mse", DOWN, ALL_TASKS, "mean squared error; for classes: of probabilities, to one-hot rows"
    ),
    MetricInfo("mae", DOWN, ALL_TASKS, "mean absolute error; for classes as `mse`"),
    MetricInfo("rmse", DOWN, VALUES, "root of the mean squared error, mean over outputs", _rmse),
    MetricInfo("r2", UP, VALUES, "coefficient of determination, mean over outputs", _r2),
    MetricInfo("f1_macro", UP, LABELS, "F1, mean over classes", _macro("f1")),
    MetricInfo(
        "precision_macro", UP, LABELS, "precision, mean over classes", _macro("precision")
    ),
    MetricInfo("recall_macro", UP, LABELS, "recall, mean over classes", _macro("recall")),
    MetricInfo(
        "balanced_accuracy", UP, CLASSES, "recall, mean over the classes that occur",
        _macro("recall", occurring=True),
    ),
    MetricInfo(
        "roc_auc", UP, LABELS, "area under ROC; multiclass: each class against the rest, mean",
        _roc_auc,
    ),
    MetricInfo("log_loss", DOWN, CLASSES, "cross-entropy of the probabilities", _log_loss),
)  # fmt: skip

#: By name, in the order of the documentation, whose table is made from it.
METRICS: Mapping[str, MetricInfo] = {info.name: info for info in _TABLE}


def metrics_for(task: Task) -> tuple[str, ...]:
    """The names of all metrics that fit `task`, in the order of the table."""
    return tuple(info.name for info in METRICS.values() if task in info.tasks)


def default_metric(task: Task) -> str:
    """The objective if a study names none: `r2` for regression, else `accuracy`."""
    return "r2" if task == "regression" else "accuracy"


def metric_direction(name: str) -> Direction:
    """`maximize` or `minimize`. Raises PlanError for an unknown metric."""
    if name not in METRICS:
        raise PlanError(unknown("metric", name, METRICS))
    return METRICS[name].direction


def check_metric(name: str, task: Task) -> MetricInfo:
    """The metric of that name. Raises PlanError if it is unknown or does not fit `task`."""
    if name not in METRICS:
        raise PlanError(unknown("metric", name, metrics_for(task)))
    info = METRICS[name]
    if task not in info.tasks:
        raise PlanError(
            f"metric {name!r} is for {', '.join(info.tasks)} tasks; this task is {task}. "
            f"Available: {', '.join(metrics_for(task))}"
        )
    return info
