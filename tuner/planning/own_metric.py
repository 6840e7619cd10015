"""Metrics of somebody's own: a function of predictions, or a scorer of scikit-learn's."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.code import own_failures
from tuner.data.dataset import Task
from tuner.errors import PlanError, UsageError, did_you_mean
from tuner.planning.metrics import ALL_TASKS, Direction, MetricInfo
from tuner.planning.predictions import predictions_as_estimator
from tuner.text import quoted, said, shortened

#: Characters of a metric's name.
LONGEST = 60


@dataclass(frozen=True)
class OwnMetric:
    """A metric that is in no table, as `metric` makes it.

    Attributes:
        name: as people call it.
        function: `(y_true, y_pred)` to a number; of a scorer `(estimator, X, y)`.
        scorer: whether `function` is a scorer.
        sign: factor of a scorer's answer: -1 if the score it wraps is to be small.
    """

    name: str
    direction: Direction
    function: Callable[..., Any]
    scorer: bool = False
    sign: float = 1.0

    @property
    def key(self) -> str:
        """The name in a definition and its results: `minimize:cost`."""
        return f"{self.direction}:{self.name}"

    def info(self, task: Task, classes: Sequence[Any] | None) -> MetricInfo:
        """As a training asks for it, of data with these classes."""
        score = partial(_score, self, task, classes)
        return MetricInfo(self.key, self.direction, ALL_TASKS, "somebody's own", score)


def metric(function: Any, *, direction: str | None = None, name: str | None = None) -> OwnMetric:
    """A metric of your own, for `metric=` of `tuner.optimize`.

    Args:
        function: one of

            - a function `(y_true, y_pred)` of a fold's validation rows to a number: targets are
              class numbers `(rows,)`, or values; predictions are probabilities (binary: of class
              1, `(rows,)`; else `(rows, classes)`), or values `(rows,)`, `(rows, targets)`;
            - a scorer of scikit-learn's (`make_scorer`, or a callable `(estimator, X, y)`), which
              is given the predictions that it asks for, and labels as they are in the data;
            - the name of one, such as `"neg_median_absolute_error"`.
        direction: `"minimize"` or `"maximize"`; needed for a function, unless it has an attribute
            of that name. A scorer made with `greater_is_better=False` is minimized, its sign taken
            back; others are maximized.
        name: in results; None: the function's own.

    >>> import numpy as np
    >>> worst = metric(lambda y, p: np.abs(y - p).max(), direction="minimize", name="worst")
    >>> worst.key
    'minimize:worst'

    Raises `UsageError`.
    """
    if isinstance(function, OwnMetric):
        return function
    sign, scorer = 1.0, False
    if isinstance(function, str):
        name, function = name or function.removeprefix("neg_"), _known_scorer(function)
    if hasattr(function, "_score_func"):
        scorer, sign = True, float(function._sign)
        name = name or getattr(function._score_func, "__name__", None)
        direction = direction or ("maximize" if sign > 0 else "minimize")
    elif not callable(function):
        raise UsageError(
            "a metric is a function (y_true, y_pred), a scorer of scikit-learn's, or a name; "
            f"received {quoted(function)}"
        )
    elif _arguments(function) >= 3:
        scorer, direction = True, direction or "maximize"
    direction = direction or getattr(function, "direction", None)
    name = name or getattr(function, "__name__", type(function).__name__).strip("<>")
    if direction not in ("maximize", "minimize"):
        raise UsageError(
            f"a metric says whether it is to be large or small; {quoted(name)} has "
            f"{'no direction' if direction is None else f'the direction {quoted(direction)}'}. "
            'Available: tuner.metric(FUNCTION, direction="minimize"), or "maximize"'
        )
    if not name.replace(".", "_").replace("-", "_").isidentifier() or len(name) > LONGEST:
        raise UsageError(
            f"a metric's name is one to {LONGEST} letters, digits and _ . -; received "
            f"{quoted(name)}. Available: tuner.metric(..., name=)"
        )
    return OwnMetric(name, direction, function, scorer, sign)  # type: ignore[arg-type]


def _known_scorer(name: str) -> Any:
    from sklearn.metrics import get_scorer, get_scorer_names

    names = get_scorer_names()
    if name not in names:
        raise UsageError(
            f"unknown metric {quoted(name)};{did_you_mean(name, names)} Available: those of "
            "`tuner optimize --help`, and sklearn.metrics.get_scorer_names()"
        )
    return get_scorer(name)


def _arguments(function: Callable[..., Any]) -> int:
    """How many positional arguments must be given."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of a builtin
        return 2
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)


def _score(
    metric: OwnMetric,
    task: Task,
    classes: Sequence[Any] | None,
    y_true: NDArray[Any],
    y_pred: NDArray[Any],
) -> float:
    """Raises PlanError for whatever is wrong with the metric: no trial of it can be scored."""
    try:
        if metric.scorer:
            stand_in, rows, y_true = predictions_as_estimator(task, classes, y_true, y_pred)
            value = metric.function(stand_in, rows, y_true)
        else:
            value = metric.function(y_true, y_pred)
    except own_failures() as error:
        why = shortened(f"{type(error).__name__}: {said(error)}", 300)
        raise PlanError(f"the metric {metric.name} failed on {len(y_true)} rows: {why}") from error
    try:
        number = metric.sign * float(np.asarray(value).item())
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise PlanError(
            f"a metric gives a finite number; {metric.name} gave {quoted(value)} for "
            f"{len(y_true)} rows"
        )
    return number
