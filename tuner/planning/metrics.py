"""The metrics a study may ask for: their direction, the tasks they fit, and where they come from.

Two kinds. A `sum` metric is a mean over rows, so the training graph adds it up as it goes. A
`predictions` metric needs all predictions of a fold at once, and is scikit-learn's function of
that name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import CLASSES, Task
from tuner.errors import DataError, PlanError, unknown
from tuner.planning.metric_scores import (
    Score,
    average_precision,
    log_loss,
    matthews,
    of_classes,
    r2,
    rmse,
    rmsle,
    roc_auc,
)
from tuner.text import quoted

Direction = Literal["maximize", "minimize"]

ALL_TASKS: tuple[Task, ...] = get_args(Task)
LABELS: tuple[Task, ...] = ("binary", "multiclass", "multilabel")
VALUES: tuple[Task, ...] = ("regression",)
TWO: tuple[Task, ...] = ("binary",)
MANY: tuple[Task, ...] = ("multiclass",)
UP: Direction = "maximize"
DOWN: Direction = "minimize"


@dataclass(frozen=True)
class MetricInfo:
    """One metric. `tasks` are those it can be asked for; `help` says what it is in one line;
    `score` is the function of a `predictions` metric, None for a `sum` metric; `aliases` are
    other names of it; targets must be above `targets_above`."""

    name: str
    direction: Direction
    tasks: tuple[Task, ...]
    help: str
    score: Score | None = None
    aliases: tuple[str, ...] = ()
    targets_above: float | None = None

    def compute(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
        """The score of a `predictions` metric by scikit-learn's function.

        `y_true` and `y_pred` by task: binary `(rows,)` class numbers and `(rows,)` probabilities
        of class 1; multiclass `(rows,)` and `(rows, classes)`; multilabel `(rows, labels)` both;
        regression `(rows, outputs)` both (`(rows,)` for a single output is as good). A class is
        predicted if its probability is the largest (binary and multilabel: above one half).

        Raises ValueError for a `sum` metric, and DataError if the rows leave the metric
        undefined (see `check_targets`; `roc_auc` without rows of every class). NaN among the
        predictions gives NaN.
        """
        if self.score is None:
            raise ValueError(f"{self.name} is summed over rows while training, not computed here")
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, dtype=np.float64)
        if y_pred.ndim == 2 and y_pred.shape[1] == 1:
            y_true, y_pred = y_true.reshape(-1), y_pred.reshape(-1)
        if not np.isfinite(y_pred).all():
            return float("nan")
        self.check_targets(y_true)
        return float(self.score(y_true, y_pred))

    def check_targets(self, y: NDArray[Any]) -> None:
        """Raises DataError if the metric is undefined for one of these targets."""
        if self.targets_above is not None and (y <= self.targets_above).any():
            raise DataError(
                f"{self.name} needs targets above {self.targets_above:g}; got {y.min():g} as the "
                "smallest. Available: rmse, mae"
            )


_TABLE = (
    MetricInfo("loss", DOWN, ALL_TASKS, "the training loss, without the L1 and L2 penalties"),
    MetricInfo("accuracy", UP, LABELS, "share of rows that are right, each with all its labels"),
    MetricInfo("top_5_accuracy", UP, MANY, "share of rows with the right class among the top five"),
    MetricInfo("hamming", DOWN, LABELS, "Hamming distance: share of wrong classes or labels"),
    MetricInfo(
        "mse", DOWN, ALL_TASKS, "mean squared error; for classes: of probabilities, to one-hot rows"
    ),
    MetricInfo("mae", DOWN, ALL_TASKS, "mean absolute error; for classes as `mse`"),
    MetricInfo("rmse", DOWN, VALUES, "root of the mean squared error, mean over outputs", rmse),
    MetricInfo("r2", UP, VALUES, "coefficient of determination, mean over outputs", r2),
    MetricInfo(
        "rmsle", DOWN, VALUES,
        "root of the mean squared error of log(1 + value); predictions below 0 count as 0", rmsle,
        targets_above=-1,
    ),
    MetricInfo("f1", UP, TWO, "F1 of the positive class, number 1", of_classes("f1", "binary")),
    MetricInfo(
        "precision", UP, TWO, "precision of the positive class, number 1",
        of_classes("precision", "binary"),
    ),
    MetricInfo(
        "recall", UP, TWO, "recall of the positive class, number 1", of_classes("recall", "binary")
    ),
    MetricInfo("f1_macro", UP, LABELS, "F1, mean over classes", of_classes("f1")),
    MetricInfo(
        "precision_macro", UP, LABELS, "precision, mean over classes", of_classes("precision")
    ),
    MetricInfo("recall_macro", UP, LABELS, "recall, mean over classes", of_classes("recall")),
    MetricInfo(
        "balanced_accuracy", UP, CLASSES, "recall, mean over the classes that occur",
        of_classes("recall", occurring=True),
    ),
    MetricInfo(
        "matthews_corrcoef", UP, CLASSES,
        "Matthews correlation of classes and predicted classes (also `matthews`)", matthews,
        aliases=("matthews",),
    ),
    MetricInfo(
        "average_precision", UP, LABELS,
        "area under precision over recall; multiclass: each class against the rest, mean",
        average_precision,
    ),
    MetricInfo(
        "roc_auc", UP, LABELS, "area under ROC; multiclass: each class against the rest, mean",
        roc_auc,
    ),
    MetricInfo("log_loss", DOWN, CLASSES, "cross-entropy of the probabilities", log_loss),
)  # fmt: skip

#: What a trial costs, by name: no scores of a fold.
COSTS: Mapping[str, MetricInfo] = {
    info.name: info
    for info in (
        MetricInfo("parameters", DOWN, ALL_TASKS, "number of weights of one network"),
        MetricInfo("seconds", DOWN, ALL_TASKS, "seconds that all folds trained"),
    )
}
#: By name, in the order of the documentation, whose table is made from it.
METRICS: Mapping[str, MetricInfo] = {info.name: info for info in _TABLE}
#: How the names begin of somebody's own metrics, which are in no table.
OWN: Mapping[str, Direction] = {"maximize:": UP, "minimize:": DOWN}
_ALIASES = {alias: info.name for info in _TABLE for alias in info.aliases}


def metric_name(name: str) -> str:
    """The table's name of a metric that goes by `name`; an unknown one as it is."""
    return _ALIASES.get(name, name)


def is_own_metric(name: str) -> bool:
    """Whether a name is that of somebody's own metric, such as `minimize:cost`."""
    return name.startswith(tuple(OWN))


def is_metric(name: str) -> bool:
    """Whether a study may name it: one of the table, or somebody's own."""
    return name in METRICS or is_own_metric(name)


def metrics_for(task: Task) -> tuple[str, ...]:
    """The names of all metrics that fit `task`, in the order of the table."""
    return tuple(info.name for info in METRICS.values() if task in info.tasks)


def default_metric(task: Task) -> str:
    """The objective if a study names none: `r2` for regression, else `accuracy`."""
    return "r2" if task == "regression" else "accuracy"


def metric_direction(name: str) -> Direction:
    """`maximize` or `minimize`. Raises PlanError for an unknown metric."""
    if is_own_metric(name):
        return OWN[f"{name.partition(':')[0]}:"]
    known = {**METRICS, **COSTS}
    if name not in known:
        raise PlanError(unknown("metric", name, known))
    return known[name].direction


def check_metric(name: str, task: Task) -> MetricInfo:
    """The metric of that name. Raises PlanError if it is unknown or does not fit `task`."""
    if is_own_metric(name):
        raise PlanError(
            f"a metric of somebody's own comes with its code; {quoted(name)} has none here. "
            f"Available: {', '.join(metrics_for(task))}; in Python tuner.metric"
        )
    if name not in METRICS:
        raise PlanError(unknown("metric", name, metrics_for(task)))
    info = METRICS[name]
    if task not in info.tasks:
        mean = METRICS.get(f"{name}_macro")
        over_classes = f"; {mean.name} is {mean.help}" if mean and task in mean.tasks else ""
        raise PlanError(
            f"metric {quoted(name)} is for {', '.join(info.tasks)} tasks; this task is {task}"
            f"{over_classes}. Available: {', '.join(metrics_for(task))}"
        )
    return info
