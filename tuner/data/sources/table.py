"""From a table of named columns to arrays: which column is the target, and what may be a feature.

Shared by every source of tables.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.infer import ColumnFinding, find_columns
from tuner.data.columns.labels import read_target
from tuner.data.sources.base import RawData, Reading, Request, Source
from tuner.data.sources.choice import feature_columns, known_column, named_column, target_columns
from tuner.data.sources.totals import total_remark
from tuner.errors import DataError
from tuner.text import listed, path_text, quoted

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Table:
    """What a source of tables reads.

    Attributes:
        frame: columns of different names; numbers, booleans, dates or text, gaps as NaN, None or
            NaT. Columns without names are called 1, 2, ...
        default_target: the source's own.
        remarks: what the reader took for granted, one sentence each.
        unusable: columns of the frame that are left out, and what they hold instead.
    """

    frame: pd.DataFrame
    default_target: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)


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
    request = _without_unusable(table, request, columns, source)
    remarks = [*table.remarks, *filter(None, [total_remark(frame)])]
    asked = {"group": request.group, "time": request.time, "fold": request.fold_column}
    aside = {
        kind: known_column(name, columns, kind, source) for kind, name in asked.items() if name
    }
    targets, guessed = target_columns(request, columns, aside, table.default_target, source)
    remarks += [guessed] if guessed else []
    kinds = {named_column(name, columns) or name: kind for name, kind in request.kinds.items()}
    request = replace(request, kinds=kinds)
    frame = frame.copy(deep=False)
    for name in targets:
        frame[name], said = read_target(
            name, frame[name], kinds.get(name), na_class=request.na_class, source=source
        )
        remarks += said
    known = frame[targets].notna().all(axis=1)
    if not known.all():
        if not request.need_target:
            targets = []
        else:
            remarks.append(f"left out {int((~known).sum())} of {len(frame)} rows without a target")
            frame = frame[known]
    if not len(frame):
        raise DataError(f"a search needs a target; in {source} {listed(targets)} has no value")
    for kind, name in aside.items():
        if gaps := int(frame[name].isna().sum()):
            raise DataError(f"no {kind} may be missing; {name} of {source} has {gaps} gaps")
    if "time" in aside:
        frame = frame.iloc[_order(frame[aside["time"]], source)]
    features = frame[feature_columns(request, columns, (*targets, *aside.values()), source)]
    raw = _encoded(features, request, source)
    keep = [known_column(name, columns, "kept", source) for name in request.keep]
    return RawData(
        x=raw.x,
        y=_target_values(frame[targets]) if targets else None,
        groups=frame[aside["group"]].to_numpy() if "group" in aside else None,
        fold_names=frame[aside["fold"]].to_numpy() if "fold" in aside else None,
        feature_names=raw.feature_names,
        target_names=tuple(targets) or None,
        encoding=raw.encoding,
        columns=raw.columns,
        kept={name: _plain(frame[name]) for name in keep},
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


def _without_unusable(table: Table, request: Request, columns: list[str], source: str) -> Request:
    """The request without the columns that hold nothing a network takes; `DataError` if it names
    one."""
    target = request.target or ""
    beside = (request.group or "", request.time or "", request.fold_column or "")
    asked = [target, *target.split(","), *beside, *request.features, *request.kinds]
    trained = () if request.encoding is None else request.encoding.columns
    for name in (*asked, *(column.name for column in trained)):
        found = named_column(name.strip(), columns)
        if found is not None and found in table.unusable:
            raise DataError(
                f"a column must hold numbers, text, dates or yes/no; {found} of {source} holds "
                f"{table.unusable[found]}"
            )
    return replace(request, drop=(*request.drop, *table.unusable))


def _left_out(findings: Sequence[ColumnFinding]) -> str:
    out = [f"{found.name} ({found.why})" for found in findings if found.column is None]
    return listed(out, _SHOWN) if out else ""


def _order(times: pd.Series[Any], source: str) -> NDArray[np.intp]:
    """Row numbers by rising time, rows of the same time as they stand. Dates are read in the one
    form that has one meaning. Raises DataError."""
    import pandas as pd

    values = times
    if not pd.api.types.is_datetime64_any_dtype(times):
        values = pd.to_numeric(times, errors="coerce")
        if values.isna().any():
            values = pd.to_datetime(times.astype(str), format="ISO8601", utc=True, errors="coerce")
    wrong = times[values.isna()]
    if len(wrong):
        raise DataError(
            f"--time needs a column of numbers, or of dates as 2024-03-31; {quoted(times.name)} of "
            f"{source} holds {quoted(str(wrong.iloc[0]))}, {len(wrong)} rows"
        )
    return np.asarray(values.argsort(kind="stable"))


def _plain(values: pd.Series) -> list[Any]:
    """Values that JSON can hold: numbers, booleans, text, None at gaps."""
    present = values.astype(object).where(values.notna(), None).tolist()
    return [own if isinstance(own, bool | int | float | None) else str(own) for own in present]


def _target_values(targets: pd.DataFrame) -> NDArray[Any]:
    import pandas as pd

    columns = [column.to_numpy() for _, column in targets.items()]
    if len(columns) > 1:
        return np.column_stack(columns)
    only = targets.iloc[:, 0]
    if isinstance(only.dtype, pd.CategoricalDtype) and pd.api.types.is_string_dtype(columns[0]):
        return np.array(only.cat.categories, str)[only.cat.codes]  # not a row at a time
    return columns[0]


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
