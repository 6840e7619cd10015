"""What targets ask for: classes, labels or quantities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import CLASSES, Task
from tuner.errors import DataError
from tuner.text import shortened

MOST_CLASSES = 1000
#: So many different whole numbers are classes rather than quantities.
_FEW = 20
#: A class of fewer rows is none that numbers were meant for.
_ROWS = 2


def infer_task(y: NDArray[Any], source: str = "the target", *, pictures: bool = False) -> Task:
    """The task of targets `(rows,)` or `(rows, columns)`.

    Several columns of 0 and 1: binary or multiclass if every row has exactly one 1 (one-hot),
    else multilabel; several columns of other numbers: regression. One column: text and booleans
    are classes. Numbers are classes if they are whole and at most 20 different ones, each of
    two rows at least; else regression. Of pictures any 0..k-1 or 1..k, k at most 1000, are
    classes if two rows share one on average. Two classes are binary, more are multiclass.

    Raises:
        DataError: text of which fewer than two rows share one on average (a name, not a class),
            or text in several columns.
    """
    if y.ndim == 2:
        if y.dtype.kind == "U":
            raise DataError(
                f"several target columns must hold numbers; those of {source} hold text such as "
                f"{shortened(str(y.flat[0]))}. One column of text is a classification"
            )
        if is_one_hot(y):
            return "binary" if y.shape[1] == 2 else "multiclass"
        return "multilabel" if is_indicator(y) else "regression"
    values = np.unique(y)
    kind: Task = "binary" if len(values) == 2 else "multiclass"
    shared = 2 * len(values) <= len(y)
    if not is_number(y):
        if not shared or len(values) > MOST_CLASSES:
            raise DataError(
                f"text in the target is taken for classes, which several rows must share; that of "
                f"{source} has {len(values)} different texts in {len(y)} rows (such as "
                f"{shortened(str(values[0]))}). Choose another column by --target COLUMN"
            )
        return kind
    if not (values == np.floor(values)).all() or not shared:
        return "regression"
    counting = values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1
    if pictures and counting and len(values) <= MOST_CLASSES:
        return kind
    few = len(values) <= _FEW and np.unique(y, return_counts=True)[1].min() >= _ROWS
    return kind if few else "regression"


def inference_remark(y: NDArray[Any], task: Task, name: str) -> str:
    """A sentence if targets `(rows,)`, which are numbers, could have been another task than the
    one inferred; "" if they could not."""
    if not is_number(y):
        return ""
    values = np.unique(y)
    if len(values) < 3 or 2 * len(values) > len(y) or not (values == np.floor(values)).all():
        return ""
    taken = f"{name} holds whole numbers {values[0]:g} to {values[-1]:g} and is taken for"
    if task in CLASSES:
        return f"{taken} {len(values)} classes (--task regression takes it for a quantity)"
    if len(values) > MOST_CLASSES:
        return ""
    return f"{taken} a quantity (--task multiclass takes it for {len(values)} classes)"


def is_number(y: NDArray[Any]) -> bool:
    return y.dtype.kind in "iuf"


def is_indicator(y: NDArray[Any]) -> bool:
    """Two or more columns of 0 and 1."""
    return y.ndim == 2 and y.dtype.kind in "biuf" and bool(((y == 0) | (y == 1)).all())


def is_one_hot(y: NDArray[Any]) -> bool:
    """Two or more columns of 0 and 1, exactly one 1 a row."""
    return is_indicator(y) and bool((y.sum(axis=1) == 1).all())
