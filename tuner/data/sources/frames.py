"""Any pandas frame as a table: numbers, booleans, dates and text, gaps as NaN, None or NaT.

Shared by every source that hands over frames of pandas.
"""

from __future__ import annotations

import datetime as dt
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.data.sources.choice import refuse_twice
from tuner.data.sources.table import Table
from tuner.text import listed

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 8


def plain_table(
    frame: pd.DataFrame,
    source: str,
    default_target: tuple[str, ...] = (),
    remarks: tuple[str, ...] = (),
) -> Table:
    """`frame` as a table: its index is no column, names are text.

    Nullable and Arrow types become NumPy's, decimals float64, lengths of time seconds, times of day
    seconds since midnight, dates and times with a zone datetime64 (UTC), bytes of UTF-8 text. What
    is nothing of these (lists, structures, other bytes, complex numbers) is left out and said so.

    Raises:
        DataError: two columns of one name.
    """
    import pandas as pd

    names = [_name(name) for name in frame.columns]
    refuse_twice(names, source)
    index = [_name(name) for name in frame.index.names if name is not None]
    said = [f"the index ({listed(index)}) is no column"] if index else []
    plain: dict[str, pd.Series] = {}
    unusable: dict[str, str] = {}
    for number, name in enumerate(names):
        values = _plain(frame.iloc[:, number].reset_index(drop=True))
        if isinstance(values, str):
            unusable[name] = values
            values = pd.Series([None] * len(frame), dtype=object)
        plain[name] = values
    if unusable:
        out = [f"{name} ({why})" for name, why in unusable.items()]
        said.append(f"left out {listed(out, _SHOWN)}")
    whole = pd.DataFrame(plain, index=pd.RangeIndex(len(frame)), copy=False)
    return Table(whole, default_target, (*remarks, *said), unusable)


def _name(name: Any) -> str:
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _plain(values: pd.Series) -> pd.Series | str:
    """The column, or why it is none."""
    import pandas as pd
    from pandas.api import types

    kind = values.dtype
    if isinstance(kind, pd.CategoricalDtype):
        levels = values.cat.categories
        whole = types.infer_dtype(levels) == "string" or types.is_bool_dtype(levels.dtype)
        if whole or types.is_numeric_dtype(levels.dtype):
            return values
        return _plain(values.astype(levels.dtype))
    if isinstance(kind, pd.ArrowDtype):
        import pyarrow as pa

        return _plain(pd.Series(pa.array(values.array).to_pandas()))
    if isinstance(kind, pd.SparseDtype):
        return _plain(values.sparse.to_dense())
    if isinstance(kind, pd.PeriodDtype):
        return values.dt.to_timestamp()
    if isinstance(kind, pd.StringDtype):
        return values if kind.na_value is not pd.NA else _with_none(values)
    if isinstance(kind, pd.DatetimeTZDtype):
        return values.dt.tz_convert("UTC").dt.tz_localize(None)
    if types.is_datetime64_dtype(kind):
        return values
    if types.is_timedelta64_dtype(kind):
        return values.dt.total_seconds()
    if types.is_bool_dtype(kind):
        return values.astype(bool) if values.notna().all() else _with_none(values)
    if types.is_complex_dtype(kind):
        return "complex numbers"
    if types.is_numeric_dtype(kind):
        return _number(values)
    return _objects(values.astype(object))


def _with_none(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), None)


def _number(values: pd.Series) -> pd.Series:
    import pandas as pd
    from pandas.api import types

    kind = values.dtype
    if types.is_extension_array_dtype(kind):
        if values.notna().all():
            return pd.Series(values.to_numpy(dtype=kind.numpy_dtype))
        return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan))
    # pandas counts no different values of float16.
    return values.astype(np.float64) if kind in (np.float16, np.longdouble) else values


def _objects(values: pd.Series) -> pd.Series | str:
    """A column of Python's objects."""
    from pandas.api import types

    present = values.dropna()
    kind = types.infer_dtype(present)
    if kind in ("string", "empty", "boolean"):
        return _with_none(values)
    if kind not in ("string", "bytes", "mixed-integer") and present.map(_is_number).all():
        return _filled(values, [float(value) for value in present], np.nan)
    if kind in ("date", "datetime", "datetime64"):
        return _dates(values, present)
    if kind in ("timedelta", "timedelta64"):
        return _filled(values, [value.total_seconds() for value in present], np.nan)
    if kind == "time":
        return _filled(values, [seconds_of_day(value) for value in present], np.nan)
    if kind == "bytes":
        try:
            return _filled(values, [value.decode() for value in present], None)
        except UnicodeDecodeError:
            return "bytes that are no text"
    strange = present[present.map(lambda v: types.is_list_like(v) or isinstance(v, bytes))]
    if len(strange):
        return f"values of the type {type(strange.iloc[0]).__name__}"
    if kind == "complex":
        return "complex numbers"
    return _filled(values, [str(value) for value in present], None)


def seconds_of_day(time: dt.time) -> float:
    return time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6


def _is_number(value: Any) -> bool:
    from decimal import Decimal

    return isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_)


def _dates(values: pd.Series, present: pd.Series) -> pd.Series:
    import pandas as pd

    if any(getattr(value, "tzinfo", None) is not None for value in present):
        return pd.to_datetime(values, utc=True).dt.tz_localize(None)
    return _filled(values, np.array(list(present), "M8[us]"), np.datetime64("NaT", "us"))


def _filled(values: pd.Series, present: Any, gap: Any) -> pd.Series:
    """`present` where `values` has no gap."""
    import pandas as pd

    kind = object if gap is None else np.asarray(gap).dtype
    whole = np.full(len(values), gap, kind)
    whole[values.notna().to_numpy()] = present
    return pd.Series(whole)
