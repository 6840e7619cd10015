"""From a table of named columns to arrays: which column is the target, and what may be a feature.

Shared by every source of tables.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.infer import ColumnFinding, find_columns
from tuner.data.sources.base import RawData, Reading, Request, Source
from tuner.errors import DataError, unknown
from tuner.text import listed, path_text

if TYPE_CHECKING:
    import pandas as pd

#: A column of one of these names (in any case) is the target if none is named.
TARGET_NAMES = ("target", "label", "y", "class")
_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Table:
    """What a source of tables reads.

    Attributes:
        frame: columns of different names; numbers, booleans, dates or text, gaps as NaN, None or
            NaT. Columns without names are called 1, 2, ...
        default_target: the source's own.
        remarks: what the reader took for granted, one sentence each.
    """

    frame: pd.DataFrame
    default_target: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class TableSource(Source):
    """A source whose rows have named columns."""

    is_table = True
    has_groups = True

    @abstractmethod
    def table(self, rest: str, reading: Reading) -> Table:
        """The table behind `rest`. Raises `DataError` for whatever is wrong with it."""

    def read(self, rest: str, request: Request) -> RawData:
        known = request.kinds
        if request.encoding is not None:
            known = {column.name: column.kind for column in request.encoding.columns}
        reading = replace(request.reading, kinds=known)
        return from_table(
            self.table(rest, reading), request, source=path_text(f"{self.name}:{rest}")
        )


def from_table(table: Table, request: Request, *, source: str) -> RawData:
    """The table's features encoded as `x`, its target as `y`, its group column as `groups`.

    The target is `request.target` (several columns separated by commas; each a name, or the
    column's number from 1, or from -1 backwards), else the source's own default, else the one
    column called target, label, y or class, else the last column. Rows without a target are left
    out. All other columns are features, but those that `find_columns` leaves out. Columns
    `pixel0 ... pixelN` (or from 1) that make a square are an image, `x` then has the shape
    `(rows, side, side)`.

    Raises:
        DataError: no rows, fewer than two columns, an unknown or ambiguous column, no feature.
    """
    frame, columns = table.frame, [str(name) for name in table.frame.columns]
    if not len(frame):
        raise DataError(f"a table needs rows; {source} has {len(columns)} column names and no row")
    remarks = list(table.remarks)
    group = _column(request.group, columns, "group", source) if request.group else None
    targets = _targets(request, columns, group, table.default_target, source)
    known = frame[targets].notna().all(axis=1)
    if not known.all():
        if not request.need_target:
            targets = []
        else:
            remarks.append(f"left out {int((~known).sum())} of {len(frame)} rows without a target")
            frame = frame[known]
    if not len(frame):
        raise DataError(f"a search needs a target; in {source} {listed(targets)} has no value")
    kinds = {named_column(name, columns) or name: kind for name, kind in request.kinds.items()}
    request = replace(request, kinds=kinds)
    features = frame[_features(request, columns, targets, group, source)]
    raw = _encoded(features, request, source)
    group_values = None if group is None else frame[group]
    if group_values is not None and group_values.isna().any():
        raise DataError(
            f"no group may be missing; {group} of {source} has {group_values.isna().sum()} gaps"
        )
    return RawData(
        x=raw.x,
        y=_target_values(frame[targets]) if targets else None,
        groups=None if group_values is None else group_values.to_numpy(),
        feature_names=raw.feature_names,
        target_names=tuple(targets) or None,
        encoding=raw.encoding,
        columns=raw.columns,
        findings=raw.findings,
        remarks=(*remarks, *raw.remarks),
    )


def _encoded(features: pd.DataFrame, request: Request, source: str) -> RawData:
    """The part of the answer that features make: `x`, names, encoding, findings, remarks."""
    names = tuple(map(str, features.columns))
    if request.numbers or (image := _image_side(features)):
        x = features.to_numpy()
        shaped = x if request.numbers else x.reshape(len(x), image, image)
        return RawData(x=shaped, y=None, feature_names=names)
    if request.encoding is not None:
        encoding, findings, columns = request.encoding, [], request.encoding.raw(features)
    else:
        findings, columns = find_columns(features, request.kinds), None
        kept = tuple(found.column for found in findings if found.column is not None)
        if not kept:
            raise DataError(
                f"a table needs a feature; every column of {source} is left out: "
                f"{_left_out(findings)}. Keep one by --kind COLUMN=KIND"
            )
        encoding = TableEncoding(columns=kept)
    left_out = _left_out(findings)
    return RawData(
        x=encoding.encode(features),
        y=None,
        feature_names=tuple(column.name for column in encoding.columns),
        encoding=encoding,
        columns=columns,
        findings=tuple(findings),
        remarks=(f"left out {left_out}; --kind COLUMN=KIND keeps one",) if left_out else (),
    )


def _left_out(findings: Sequence[ColumnFinding]) -> str:
    out = [f"{found.name} ({found.why})" for found in findings if found.column is None]
    return listed(out, _SHOWN) if out else ""


def _features(
    request: Request,
    columns: list[str],
    targets: list[str],
    group: str | None,
    source: str,
) -> list[str]:
    if request.encoding is not None:
        features = [column.name for column in request.encoding.columns]
        absent = [name for name in features if name not in columns]
        if absent:
            raise DataError(
                f"the rows need the {len(features)} columns that the model was trained on; "
                f"{source} lacks {listed(absent, _SHOWN)}. It has {listed(columns, _SHOWN)}"
            )
        return features
    dropped = [_column(name, columns, "feature", source) for name in request.drop]
    chosen = [_column(name, columns, "feature", source) for name in request.features] or columns
    for name in request.kinds:
        _column(name, columns, "feature", source)
    features = [name for name in chosen if name not in (*targets, group, *dropped)]
    if not features:
        raise DataError(
            f"a table needs a feature column beside its target; {source} has only "
            f"{listed(columns, _SHOWN)}"
        )
    return features


def _targets(
    request: Request,
    columns: list[str],
    group: str | None,
    default: tuple[str, ...],
    source: str,
) -> list[str]:
    if request.target is not None:
        whole = named_column(request.target, columns) is not None
        names = [request.target] if whole else [p.strip() for p in request.target.split(",")]
        names = [_column(name, columns, "target", source) for name in names]
        if len(set(names)) < len(names) or group in names:
            raise DataError(
                f"target and group columns must differ from each other; received --target "
                f"{request.target}{f' --group {group}' if group else ''}"
            )
        return names
    features = () if request.encoding is None else [c.name for c in request.encoding.columns]
    free = [name for name in columns if name not in {group, *features, *request.drop}]
    if default and set(default) <= set(free):
        return list(default)
    named = [name for name in free if name.lower() in TARGET_NAMES]
    if len(named) > 1:
        raise DataError(
            f"the target must be one column; {source} has {listed(named, _SHOWN)}. Choose by "
            f"--target COLUMN (the others become features)"
        )
    if named or not request.need_target:
        return named
    if len(columns) - (group is not None) < 2:
        raise DataError(
            f"a table needs a feature column and a target column; {source} has only "
            f"{listed(columns, _SHOWN)}. Say what separates its values by --sep"
        )
    return free[-1:]


def _column(name: str, columns: list[str], kind: str, source: str) -> str:
    found = named_column(name, columns)
    if found is None:
        raise DataError(f"{unknown(f'{kind} column', name, columns)} (in {source})")
    return found


def named_column(name: str, columns: Sequence[str]) -> str | None:
    """The column that `name` means: by its name, by its name but for case and spaces if there is
    one such, or by its number from 1 (from -1 backwards)."""
    if name in columns:
        return name
    if re.fullmatch(r"-?[0-9]{1,9}", name):
        number = int(name)
        known = 0 < abs(number) <= len(columns)
        return columns[number - 1 if number > 0 else number] if known else None
    alike = [column for column in columns if _simple(column) == _simple(name)]
    return alike[0] if len(alike) == 1 else None


def _simple(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name).casefold()


def _target_values(targets: pd.DataFrame) -> NDArray[Any]:
    columns = [column.to_numpy() for _, column in targets.items()]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _image_side(features: pd.DataFrame) -> int:
    """The side of the square whose pixels the columns are, by their names; 0: they are none."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    names = list(map(str, features.columns))
    found = [re.fullmatch(r"pixel_?(\d+)", name) for name in names]
    numbers = [int(match[1]) for match in found if match]
    side = isqrt(len(names))
    counted = any(numbers == list(range(first, first + len(names))) for first in (0, 1))
    if side < 4 or side * side != len(names) or not counted:
        return 0
    whole = all(
        is_numeric_dtype(own.dtype) and not is_bool_dtype(own.dtype) and own.notna().all()
        for _, own in features.items()
    )
    return side if whole else 0
