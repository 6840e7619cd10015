"""What the targets ask for, and the targets as numbers."""

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import CLASSES, Task
from tuner.data.float32 import RULE, unheld_columns
from tuner.data.sources import RawData
from tuner.data.tasks import (
    MOST_CLASSES,
    infer_task,
    inference_remark,
    is_indicator,
    is_number,
    is_one_hot,
)
from tuner.errors import DataError, unknown
from tuner.text import listed, quoted, shortened

Label = str | int | float | bool
TASKS: tuple[Task, ...] = get_args(Task)
#: Fewer rows of a class than this are said.
_FEW_ROWS = 3


@dataclass(frozen=True, eq=False)
class EncodedTargets:
    """`y`, `y_test`, `task` and `classes` as in `Dataset`; `remarks`: what was guessed."""

    task: Task
    y: NDArray[np.int32] | NDArray[np.float32]
    y_test: NDArray[np.int32] | NDArray[np.float32] | None
    classes: tuple[Label, ...] | None
    remarks: tuple[str, ...] = ()


def encode_targets(raw: RawData, source: str, task: Task | None = None) -> EncodedTargets:
    """Infer the task (unless given or known), number the classes, make values float32.

    Classes are numbered in ascending order of their labels, as scikit-learn's LabelEncoder does.
    One-hot targets (every row exactly one 1) are classes, numbered by their columns.

    Raises:
        DataError: no targets, another number of rows than the features', missing or infinite
            values, one single value, a task that the targets cannot be, test classes that no
            search row has.
    """
    if raw.y is None or (raw.x_test is not None and raw.y_test is None):
        raise DataError(f"a search needs a target for every row; {source} has none")
    task = task or raw.task
    if task is not None and task not in TASKS:
        raise DataError(unknown("task", task, TASKS))
    y = plain_targets(raw.y, len(raw.x), source)
    parts = [y]
    if raw.x_test is not None and raw.y_test is not None:
        parts.append(plain_targets(raw.y_test, len(raw.x_test), source))
    if parts[-1].shape[1:] != y.shape[1:]:
        raise DataError(
            f"test targets must have the shape of the others, {y.shape[1:]} a row; those of "
            f"{source} have {parts[-1].shape[1:]}"
        )
    if (y == y[0]).all():
        value = y[0].tolist() if y.ndim > 1 else y[0]
        raise DataError(
            f"a target needs at least two different values; that of {source} is "
            f"{shortened(str(value)) or quoted('')} in all {len(y)} rows"
        )
    remark = ""
    if task is None:
        pictures = raw.x.ndim > 2 or raw.x.dtype == np.uint8 or raw.class_names is not None
        task = infer_task(y, source, pictures=pictures)
        if not pictures and y.ndim == 1:
            remark = inference_remark(y, task, (raw.target_names or ("the target",))[0])
    labels: tuple[Label, ...] | None = None
    encoded: list[NDArray[Any]]
    if task == "regression":
        encoded = [number_values(part, source) for part in parts]
    elif task == "multilabel":
        for part in parts:
            if not is_indicator(part):
                raise DataError(
                    f"multilabel needs two or more target columns of 0 and 1; those of {source} "
                    f"are {part.shape[1] if part.ndim > 1 else 1} of type {part.dtype}"
                )
        labels = tuple(raw.target_names or range(y.shape[1]))
        encoded = [part.astype(np.float32) for part in parts]
    else:
        labels, encoded = _numbered(task, parts, raw, source)
    remarks = tuple(filter(None, (remark, _rare(encoded[0], labels, task))))
    return EncodedTargets(
        task, encoded[0], encoded[1] if len(encoded) > 1 else None, labels, remarks
    )


def check_log(targets: EncodedTargets, source: str) -> None:
    """Raises `DataError` unless log(1 + target) is what targets can be trained as."""
    if targets.task != "regression":
        raise DataError(
            f"--target-scale log is for a regression; the task of {source} is {targets.task}"
        )
    for y in (targets.y, targets.y_test):
        if y is not None and (y < 0).any():
            raise DataError(
                f"--target-scale log needs targets of 0 and above; {source} has "
                f"{int((y < 0).sum())} below, the least {y.min():g}. Available: standard"
            )


def _rare(y: NDArray[Any], labels: tuple[Label, ...] | None, task: Task) -> str:
    """A sentence on classes of too few rows to learn from and to be scored by."""
    if task not in CLASSES or labels is None:
        return ""
    counts = np.bincount(y, minlength=len(labels))
    few = [
        f"{quoted(label)} {count}"
        for label, count in zip(labels, counts.tolist(), strict=True)
        if count < _FEW_ROWS
    ]
    if not few:
        return ""
    return (
        f"classes of one or two rows: {listed(few, 8)}; every fold needs a row of each class. "
        "Leave their rows out of the file or join them with another class"
    )


def _numbered(
    task: Task, parts: list[NDArray[Any]], raw: RawData, source: str
) -> tuple[tuple[Label, ...], list[NDArray[Any]]]:
    """The classes' labels, and the parts as numbers of classes `(rows,)`, int32."""
    if parts[0].ndim == 2:
        columns = parts[0].shape[1]
        if not all(is_one_hot(part) for part in parts):
            raise DataError(
                f"{task} needs one target column, or one-hot columns with exactly one 1 a "
                f"row; the {columns} target columns of {source} are neither"
            )
        labels: tuple[Label, ...] = tuple(raw.target_names or range(columns))
        parts, values = [part.argmax(axis=1) for part in parts], np.arange(columns)
    elif raw.class_names is not None:
        labels, values = raw.class_names, np.arange(len(raw.class_names))
    else:
        values = np.unique(parts[0])
        labels = tuple(values.tolist())
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"a classification may have at most {MOST_CLASSES} classes; the target of {source} "
            f"has {len(values)} different values. Is it a regression (--task regression)?"
        )
    if task == "binary" and len(values) != 2:
        raise DataError(
            f"binary needs exactly two classes; {source} has {len(values)}. Available: multiclass"
        )
    numbers = [np.searchsorted(values, part).clip(max=len(values) - 1) for part in parts]
    for number, part in zip(numbers, parts, strict=True):
        strange = values[number] != part
        if strange.any():
            raise DataError(
                f"test rows may only have classes that the search rows have; {source} has "
                f"{listed(list(map(str, np.unique(part[strange]))), 8)} in "
                f"{int(strange.sum())} test rows"
            )
    return labels, [number.astype(np.int32) for number in numbers]


def number_values(y: NDArray[Any], source: str) -> NDArray[np.float32]:
    """The targets of a regression, `(rows, outputs)`. Raises `DataError` for text."""
    if not is_number(y):
        raise DataError(
            f"regression needs numbers as targets; those of {source} are such as "
            f"{quoted(y.flat[0])}. "
            f"Available: binary, multiclass"
        )
    if len(unheld_columns(y)):
        raise DataError(
            f"targets {RULE} their scaling; those of {source} do not. Give them in another unit"
        )
    return y.astype(np.float32).reshape(len(y), -1)


def plain_targets(y: NDArray[Any], rows: int, source: str) -> NDArray[Any]:
    """Targets `(rows,)` or `(rows, 2 or more)` as numbers, booleans or text, without gaps."""
    if y.ndim == 0 or y.ndim > 2 or 0 in y.shape or len(y) != rows:
        raise DataError(
            f"targets must have one row for each of the {rows} rows of features, in one or two "
            f"axes; those of {source} have the shape {y.shape}"
        )
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype == object:
        y = _from_objects(y, source)
    if y.dtype.kind == "S":
        try:
            y = np.char.decode(y, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"labels in bytes must be UTF-8; those of {source} hold {quoted(error.object)}"
            ) from error
    if y.dtype.kind == "M":
        raise DataError(
            f"targets must be numbers or labels; those of {source} are dates. Choose another "
            "column by --target COLUMN"
        )
    if y.dtype.kind not in "biufU":
        raise DataError(
            f"targets must be numbers, booleans or text; those of {source} have the type {y.dtype}"
        )
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError(
            f"no target may be missing, NaN or infinite; {source} has "
            f"{int((~np.isfinite(y)).sum())} such among {len(y)} rows"
        )
    return y


def _from_objects(y: NDArray[Any], source: str) -> NDArray[Any]:
    """An array of Python objects, as pandas gives text, with the dtype they have in common."""
    from pandas.api.types import infer_dtype

    kind = infer_dtype(y.ravel(), skipna=False)
    types = {"string": str, "boolean": bool, "integer": np.int64, "floating": np.float64}
    types |= dict.fromkeys(("mixed-integer-float", "integer-na"), np.float64)
    if found := types.get(kind):
        return y.astype(found)
    kinds = ", ".join(sorted({type(value).__name__ for value in y.flat}))
    raise DataError(
        f"targets must be of one kind, numbers, booleans or text; those of {source} are {kinds}"
    )
