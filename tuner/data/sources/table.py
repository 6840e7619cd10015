"""From a table of named columns to arrays: which column is the target, and what may be a feature.

Shared by csv:, parquet: and openml:.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.sources.base import RawData, Request
from tuner.errors import DataError, unknown
from tuner.text import listed, quoted

if TYPE_CHECKING:
    import pandas as pd

#: A column of one of these names (in any case) is the target if none is named.
TARGET_NAMES = ("target", "label", "y", "class")
_SHOWN = 8


def from_frame(
    frame: pd.DataFrame, request: Request, *, source: str, default_target: tuple[str, ...] = ()
) -> RawData:
    """The table's numbers as `x`, its target as `y`, its group column as `groups`, its rows in
    the order of their time if a column is named for it.

    The target is `request.target` (several columns separated by commas), else the source's own
    default, else the one column called target, label, y or class, else the last column. All
    other columns are features and must be numbers without gaps. Columns `pixel0 ... pixelN` (or
    from 1) that make a square are an image, `x` then has the shape `(rows, side, side)`.

    Raises:
        DataError: no rows, fewer than two columns, an unknown or ambiguous column, features that
            are no numbers, missing values.
    """
    columns = [str(name) for name in frame.columns]
    if not len(frame):
        raise DataError(f"a table needs rows; {source} has {len(columns)} column names and no row")
    asked = {"group": request.group, "time": request.time, "fold": request.fold_column}
    aside = {kind: _column(name, columns, kind, source) for kind, name in asked.items() if name}
    targets = _targets(request, columns, aside, default_target, source)
    if request.columns is None:
        features = [name for name in columns if name not in (*targets, *aside.values())]
    else:
        features = list(request.columns)
        absent = [name for name in features if name not in columns]
        if absent:
            raise DataError(
                f"the rows need the {len(features)} columns that the model was trained on; "
                f"{source} lacks {listed(absent, _SHOWN)}. It has {listed(columns, _SHOWN)}"
            )
    if not features:
        raise DataError(
            f"a table needs a feature column beside its target; {source} has only "
            f"{listed(columns, _SHOWN)}"
        )
    _refuse_text(frame[features], source)
    _refuse_missing(frame[[*dict.fromkeys([*features, *targets, *aside.values()])]], source)
    if "time" in aside:
        frame = frame.iloc[_order(frame[aside["time"]], source)]
    return RawData(
        x=_pixels(features, frame[features].to_numpy()),
        y=_target_values(frame[targets]) if targets else None,
        groups=frame[aside["group"]].to_numpy() if "group" in aside else None,
        fold_names=frame[aside["fold"]].to_numpy() if "fold" in aside else None,
        feature_names=tuple(features),
        target_names=tuple(targets) or None,
    )


def _targets(
    request: Request,
    columns: list[str],
    aside: Mapping[str, str],
    default: tuple[str, ...],
    source: str,
) -> list[str]:
    if request.target is not None:
        whole = request.target in columns
        names = [request.target] if whole else [p.strip() for p in request.target.split(",")]
        names = [_column(name, columns, "target", source) for name in names]
        if len(set(names)) < len(names) or set(names) & set(aside.values()):
            flags = {"group": "--group", "time": "--time", "fold": "--fold-column"}
            others = "".join(f" {flags[kind]} {name}" for kind, name in aside.items())
            raise DataError(
                f"{' and '.join(['target', *(aside or ['group'])])} columns must differ from each "
                f"other; received --target {request.target}{others}"
            )
        return names
    taken = {*aside.values(), *(request.columns or ())}
    free = [name for name in columns if name not in taken]
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
    if len(columns) - len(set(aside.values())) < 2:
        raise DataError(
            f"a table needs a feature column and a target column; {source} has only "
            f"{listed(columns, _SHOWN)}. Is the separator one of comma, semicolon, tab and bar?"
        )
    return free[-1:]


def _column(name: str, columns: list[str], kind: str, source: str) -> str:
    if name not in columns:
        raise DataError(f"{unknown(f'{kind} column', name, columns)} (in {source})")
    return name


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


def _refuse_text(features: pd.DataFrame, source: str) -> None:
    import pandas as pd
    from pandas.api.types import is_any_real_numeric_dtype, is_bool_dtype

    found = []
    for name, column in features.items():
        dtype = getattr(column.dtype, "categories", column).dtype
        if is_bool_dtype(dtype) or is_any_real_numeric_dtype(dtype):
            continue
        values = column.dropna()
        wrong = values[pd.to_numeric(values.astype(str), errors="coerce").isna()]
        what = f"of type {dtype}" if len(values) else "empty"
        if len(wrong):
            what = f"such as {quoted(str(wrong.iloc[0]))}, {len(wrong)} rows"
        found.append(f"{name} ({what})")
    if found:
        raise DataError(
            f"feature columns must be numbers; in {source} these are not: {listed(found, _SHOWN)}. "
            f"Leave them out, write them as numbers (one 0/1 column a category), or name one as "
            f"--target or --group"
        )


def _refuse_missing(used: pd.DataFrame, source: str) -> None:
    counts = used.isna().sum()
    gaps = [f"{name} {count}" for name, count in counts.items() if count]
    if gaps:
        raise DataError(
            f"no value may be missing; {source} has gaps in {listed(gaps, _SHOWN)} (of "
            f"{len(used)} rows). Fill them in or leave those rows or columns out"
        )


def _target_values(targets: pd.DataFrame) -> NDArray[Any]:
    columns = [column.to_numpy() for _, column in targets.items()]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _pixels(names: list[str], x: NDArray[Any]) -> NDArray[Any]:
    """`x` as images if its columns are numbered as the pixels of a square."""
    found = [re.fullmatch(r"pixel_?(\d+)", name) for name in names]
    numbers = [int(match[1]) for match in found if match]
    side = isqrt(len(names))
    counted = any(numbers == list(range(first, first + len(names))) for first in (0, 1))
    square = side >= 4 and side * side == len(names)
    return x.reshape(len(x), side, side) if counted and square else x
