"""What every other folder knows of data: rows in memory once, and folds as row numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tuner.data.columns.encoding import TableEncoding
    from tuner.data.columns.infer import ColumnFinding

Task = Literal["binary", "multiclass", "multilabel", "regression"]
#: Begins the URI of rows that are nowhere but in somebody's program, before an estimator's name.
IN_A_PROGRAM = "estimator"
#: Tasks whose rows have one class each.
CLASSES: tuple[Task, ...] = ("binary", "multiclass")


def output_units(task: Task, classes: Sized | None, y: NDArray[Any]) -> int:
    """Units of the last layer: 1 for binary, classes for multiclass, else columns of `y`."""
    if task == "binary":
        return 1
    if task == "multiclass":
        assert classes is not None
        return len(classes)
    return int(y.shape[1])


def content_hash(arrays: Mapping[str, NDArray[Any] | None], facts: Mapping[str, Any]) -> str:
    """What a dataset holds as the first 16 hexadecimal digits of a SHA-256.

    It runs over the facts (as JSON with sorted keys) and, in the order of their names, over each
    array's name, dtype, shape and bytes (little-endian, C order). An absent array differs from
    an empty one. It is the same on every platform and in every process.
    """
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        if array is None:
            continue
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"|{name} {array.dtype.str} {array.shape}|".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Search rows and, if there are any, test rows that the search never sees.

    Attributes:
        uri: where the data came from, as given.
        x: `(rows, features)`, float32, or uint8 (1 byte a value) for images and for tables of
            bytes. `x * byte_scale` are the values that `tuner.data.fit_scaling` speaks of.
        y: `(rows,)` int32 class numbers for binary and multiclass tasks; `(rows, outputs)`
            float32 for multilabel (0 or 1) and regression.
        task: what the targets ask for.
        classes: the original labels in the order of their numbers; None for regression.
        byte_scale: factor that brings an image's bytes to 0..1; 1.0 for float32 data and for
            tables.
        feature_names, image_shape, groups: None if the source has none; `groups` is
            `(rows,)` int32.
        given_folds: `(rows,)` int32, the fold in which a row validates; -1: it always trains.
            None if the source names none.
        x_test, y_test: as `x` and `y`; None if there are no test rows.
        target_log: a regression is trained on log(1 + y), which `y` is not.
        target_names: the target's column(s) if the source is a table.
        encoding: what the columns of a table became; `x` then holds its encoded rows
            `(rows, encoding.width)`, NaN at a number's gap. None for arrays and images.
        findings: what each column of a table was found to be, those left out included.
        remarks: what was guessed or found when the data were read, one sentence each.
        hash: first 16 hexadecimal digits of the SHA-256 of all contents.
    """

    uri: str
    x: NDArray[np.float32] | NDArray[np.uint8]
    y: NDArray[np.int32] | NDArray[np.float32]
    task: Task
    hash: str
    classes: tuple[str | int | float | bool, ...] | None = None
    byte_scale: float = 1.0
    feature_names: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None
    groups: NDArray[np.int32] | None = None
    given_folds: NDArray[np.int32] | None = None
    x_test: NDArray[np.float32] | NDArray[np.uint8] | None = None
    y_test: NDArray[np.int32] | NDArray[np.float32] | None = None
    target_names: tuple[str, ...] | None = None
    target_log: bool = False
    encoding: TableEncoding | None = None
    findings: tuple[ColumnFinding, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return int(self.x.shape[0])

    @property
    def features(self) -> int:
        """Inputs of a network."""
        return int(self.x.shape[1]) if self.encoding is None else self.encoding.features

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """Which of a network's inputs are numbers; None: all."""
        return None if self.encoding is None else self.encoding.numbers

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Search rows of each class (multilabel: with each label), in the order of `classes`."""
        assert self.classes is not None
        if self.task == "multilabel":
            return self.y.sum(axis=0).astype(np.int64)
        return np.bincount(self.y.astype(np.int64), minlength=len(self.classes))

    def level_codes(self) -> NDArray[np.int32]:
        """`(rows, categories)`: each row's level of the encoding's shared categories, counted
        through all of their levels; the rarest one for a row of none, as of too many levels."""
        assert self.encoding is not None
        codes = np.empty((self.rows, len(self.encoding.shared)), np.int32)
        for number, (column, place, levels) in enumerate(self.encoding.shared):
            own = self.x[:, place]
            codes[:, number] = own.argmax(axis=1) + levels.start
            if column.cut:
                codes[~own.any(axis=1), number] = own.sum(axis=0).argmin() + levels.start
        return codes

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return output_units(self.task, self.classes, self.y)


@dataclass(frozen=True, eq=False)
class Fold:
    """Row numbers (int32, into the search rows) to train on and to validate on."""

    train: NDArray[np.int32]
    validation: NDArray[np.int32]
