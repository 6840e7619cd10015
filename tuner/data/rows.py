"""Rows for a model that exists already: brought to its features, with or without targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.labels import NA_CLASS, known_label
from tuner.data.dataset import Task
from tuner.data.features import encode_features
from tuner.data.sources import RawData, Reading, Request, read_source, source_of
from tuner.data.targets import Label, number_values, plain_targets
from tuner.data.tasks import is_one_hot
from tuner.errors import DataError
from tuner.text import listed, path_text

Part = Literal["all", "search", "test"]


@dataclass(frozen=True, eq=False)
class Rows:
    """`x` `(rows, features)` float32: values as the model's own rows had them before scaling
    (bytes already multiplied by `byte_scale`); of a table its columns by name, `(rows, 1)` each,
    as the exported model takes them. `y` as in `Dataset`, None if the source has no target. `kept`:
    values of further columns by name; `remarks`: what was guessed or found, one sentence each."""

    x: NDArray[np.float32] | Mapping[str, NDArray[Any]]
    y: NDArray[np.int32] | NDArray[np.float32] | None
    kept: Mapping[str, list[Any]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def load_rows(
    uri: str,
    *,
    features: int,
    task: Task,
    classes: tuple[Label, ...] | None = None,
    byte_scale: float = 1.0,
    encoding: TableEncoding | None = None,
    feature_names: tuple[str, ...] | None = None,
    target: str | None = None,
    part: Part = "all",
    reading: Reading | None = None,
    keep: Sequence[str] = (),
) -> Rows:
    """The rows of `uri` for a model trained on a `Dataset` with these properties.

    Args:
        features, task, classes, byte_scale, encoding: of the dataset trained on. Tables must have
            the columns of its encoding, in any order; further columns are left alone.
        feature_names: of a model of numbers alone: what a table must have in place of an encoding.
        target: the column(s) of the true values; None: the source's default, if it is there.
        part: which rows if the source has test rows of its own; search rows come first.
        reading: how the rows trained on were read; it counts if these are text too.
        keep: columns of a table whose values are wanted beside.

    Raises:
        DataError: another number of features, missing columns, values out of the range of the
            model's own, classes that the model does not know.
    """
    na_class = classes is not None and NA_CLASS in classes
    named = encoding is None and source_of(uri)[0].is_table
    raw = read_source(
        uri,
        Request(
            target=target,
            need_target=False,
            encoding=encoding,
            numbers=encoding is None,
            features=feature_names or () if named else (),
            na_class=na_class,
            reading=_as_before(uri, reading or Reading(), encoding),
            keep=tuple(keep),
        ),
    )
    x, y = _part(raw, part, uri)
    if encoding is not None:
        if raw.columns is None:
            raise DataError(f"the model takes the columns of a table; {path_text(uri)} holds none")
        own = None if y is None else _match(y, raw, len(x), task, classes, uri)
        return Rows(raw.columns, own, raw.kept, raw.remarks)
    values = number_rows(replace(raw, x=x, x_test=None), uri, features, byte_scale)
    own = None if y is None else _match(y, raw, len(values), task, classes, uri)
    return Rows(values, own, raw.kept, raw.remarks)


def number_rows(raw: RawData, source: str, features: int, byte_scale: float) -> NDArray[np.float32]:
    """The rows of arrays or images, `(rows, features)`, as in `Rows`. Raises `DataError`."""
    encoded = encode_features(raw, source)
    if encoded.x.shape[1] != features:
        raise DataError(
            f"the model takes rows of {features} features; those of {path_text(source)} have "
            f"{encoded.x.shape[1]} (shape {raw.x.shape[1:]})"
        )
    values = encoded.x.astype(np.float32)
    return values if byte_scale == 1.0 else _from_bytes(values, raw.x.dtype, byte_scale, source)


def _as_before(uri: str, reading: Reading, encoding: TableEncoding | None) -> Reading:
    """`reading` as far as the source of `uri` goes by it; columns that are called by their numbers
    had no line of names."""
    if encoding is not None and all(column.name.isdigit() for column in encoding.columns):
        reading = replace(reading, header=reading.header or False)
    taken = source_of(uri)[0].reading
    return replace(Reading(), **{name: getattr(reading, name) for name in taken})


def _part(raw: RawData, part: Part, uri: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    if part == "search" or (part == "all" and raw.x_test is None):
        return raw.x, raw.y
    if raw.x_test is None:
        raise DataError(f"{path_text(uri)} has no test rows of its own. Available: all, search")
    if part == "test":
        return raw.x_test, raw.y_test
    whole = raw.y is not None and raw.y_test is not None
    y = np.concatenate([raw.y, raw.y_test]) if whole else None
    return np.concatenate([raw.x, raw.x_test]), y


def _from_bytes(
    values: NDArray[np.float32], dtype: np.dtype[Any], byte_scale: float, uri: str
) -> NDArray[np.float32]:
    """Bytes times `byte_scale`; fractions in 0..1 have been scaled before."""
    low, high = float(values.min()), float(values.max())
    highest = round(1 / byte_scale)
    if low >= 0 and high <= 1 and np.issubdtype(dtype, np.floating):
        return values
    if low < 0 or high > highest or not (values == np.floor(values)).all():
        raise DataError(
            f"the model takes images of whole numbers 0 to {highest}, or of numbers 0 to 1; "
            f"those of {path_text(uri)} reach from {low:g} to {high:g}"
        )
    return values * np.float32(byte_scale)


def _match(
    y: NDArray[Any],
    raw: RawData,
    rows: int,
    task: Task,
    classes: tuple[Label, ...] | None,
    uri: str,
) -> NDArray[np.int32] | NDArray[np.float32]:
    y = plain_targets(y, rows, uri)
    if task == "regression":
        return number_values(y, uri)
    assert classes is not None
    if task == "multilabel":
        if y.shape[1:] != (len(classes),) or not np.isin(y, (0, 1)).all():
            raise DataError(
                f"the model's targets are {len(classes)} columns of 0 and 1; those of "
                f"{path_text(uri)} are "
                f"not. Name them by --target"
            )
        return y.astype(np.float32)
    if y.ndim == 2:
        if not is_one_hot(y) or y.shape[1] != len(classes):
            raise DataError(
                f"the model knows one class a row; {path_text(uri)} has {y.shape[1]} targets"
            )
        return y.argmax(axis=1).astype(np.int32)
    numbers = {label: number for number, label in enumerate(classes)}
    found, codes = np.unique(y, return_inverse=True)
    names = found.tolist()
    if raw.class_names is not None:
        names = [raw.class_names[label] for label in names]
    known = [known_label(name, classes) for name in names]
    labels = [known[code] for code in codes]
    strange = sorted({str(label) for label in labels if label not in numbers})
    if strange:
        raise DataError(
            f"the model knows the classes {listed(list(map(str, classes)), 20)}; {path_text(uri)} "
            "also has "
            f"{listed(strange, 8)}"
        )
    return np.array([numbers[label] for label in labels], dtype=np.int32)
