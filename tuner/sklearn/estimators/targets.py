"""Targets as an estimator gets them to targets as training wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from warnings import warn

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from tuner.data.dataset import Dataset, Task, output_units
from tuner.data.float32 import RULE, unheld_columns
from tuner.sklearn.estimators.errors import EstimatorError


@dataclass(frozen=True, eq=False)
class Targets:
    """Encoded targets.

    Attributes:
        task: what they ask for.
        y: as in `Dataset`.
        classes: the original labels in the order of their numbers, the columns' numbers for
            multilabel; None for values.
        flat: whether predictions have one axis.
    """

    task: Task
    y: NDArray[Any]
    classes: NDArray[Any] | None
    flat: bool

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return output_units(self.task, self.classes, self.y)


def class_targets(y: Any, classes: NDArray[Any] | None = None) -> Targets:
    """Labels `(rows,)` of two or more classes, or a multilabel indicator `(rows, labels)`.

    Args:
        classes: all labels, sorted, if `y` need not hold each; None: those of `y`.

    Raises:
        ValueError: values instead of classes, several columns of classes, fewer than two
            classes, a label that is not among `classes`.
    """
    check_classification_targets(y)
    if type_of_target(y) == "multilabel-indicator":
        indicator = np.asarray(y.toarray() if issparse(y) else y, dtype=np.float32)
        labels = np.arange(indicator.shape[1])
        if len(indicator) > 1 and (indicator.sum(axis=1) == 1).all():
            warn(
                "every row of y has exactly one label, as one-hot encoded classes have; an "
                "indicator is trained as labels of which a row may have several. If y is one-hot, "
                "give y.argmax(axis=1)",
                stacklevel=5,
            )
        if classes is not None and not np.array_equal(classes, labels):
            raise EstimatorError(
                f"the classes of a multilabel task are its columns' numbers; got {len(labels)} "
                f"columns and the classes {classes.tolist()}"
            )
        return Targets("multilabel", indicator, labels, flat=False)
    y = column_or_1d(y, warn=True)
    present, numbers = np.unique(y, return_inverse=True)
    if classes is not None:
        strange = np.setdiff1d(present, classes)
        if len(strange):
            raise EstimatorError(
                f"y may only have labels of classes={classes.tolist()}; got {strange.tolist()}"
            )
        numbers = np.searchsorted(classes, y)
        present = classes
    if len(present) < 2:
        raise EstimatorError(
            f"a classifier needs rows of at least 2 classes; got 1 class, {present[0]!r}"
        )
    task: Task = "binary" if len(present) == 2 else "multiclass"
    return Targets(task, numbers.astype(np.int32), present, flat=True)


def value_targets(y: NDArray[Any]) -> Targets:
    """Values `(rows,)` or `(rows, outputs)`; a single column counts as one axis, with
    scikit-learn's warning. Raises ValueError for values beyond float32."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if len(unheld_columns(y)):
        raise EstimatorError(f"targets {RULE} their scaling; got others")
    narrow = y.astype(np.float32)
    return Targets("regression", narrow.reshape(len(y), -1), None, flat=y.ndim == 1)


def to_dataset(x: NDArray[Any], targets: Targets) -> Dataset:
    """What the trainer takes; nothing is copied."""
    classes = None if targets.classes is None else tuple(range(len(targets.classes)))
    return Dataset(uri="arrays", x=x, y=targets.y, task=targets.task, hash="", classes=classes)
