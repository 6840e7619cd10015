"""Numbers that are no honest values of their column: far beyond the rest, or standing for gaps."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.column import NumberColumn
from tuner.text import counted, value_text

#: One number a row `(rows,)`, as the encoding holds them.
Values = NDArray[Any]

#: Beyond the 90th percentile of sizes times this lies no honest value.
_FAR = 1000.0
#: What people write for a value that they have not: nines, or what no float32 reaches far beyond.
_NINES = re.compile(r"-?9{2,}(\.9+)?|-?1e\+3\d")
#: Among values that cannot be negative these too.
_NEGATIVE = (-9, -99, -100, -200, -500, -999, -1000, -9999, -99999)
#: In fewer rows it may be a value.
_ROWS = 3


def far_values(column: NumberColumn, few: Values, values: Values) -> str:
    """How many values lie a thousand times beyond the others, and one of them; "" if none does.

    Args:
        few: a sample of `values`.
    """
    usual = np.abs(_as_read(column, few))
    usual = usual[usual > 0]
    if not len(usual):
        return ""
    limit = _FAR * float(np.percentile(usual, 90))
    ends = np.array([np.nanmin(values), np.nanmax(values)])
    if np.abs(_as_read(column, ends)).max() <= limit:
        return ""
    far = np.flatnonzero(np.abs(_as_read(column, values)) > limit)
    example = float(_as_read(column, values[far[:1]])[0])
    return f"{counted(len(far), 'row')}, such as {value_text(example)}"


def stand_in(column: NumberColumn, few: Values, values: Values) -> str:
    """The least or the largest value if it is one that people write at a gap (-999, 9999, -200)
    and apart from the others, and its rows; "" if there is none."""
    present = _as_read(column, few[~np.isnan(few)])
    for end in (present.min(initial=np.inf), present.max(initial=-np.inf)):
        others = present[present != end]
        if not len(others) or len(present) - len(others) < _ROWS:
            continue
        low, high = float(others.min()), float(others.max())
        apart = low - end if end < low else end - high
        text = value_text(float(f"{end:.6g}"))
        nines = _NINES.fullmatch(text) is not None and apart > high - low
        if nines or (end in _NEGATIVE and low >= 0):
            rows = int(np.isclose(_as_read(column, values), end).sum())
            return f"{text} in {counted(rows, 'row')}"
    return ""


def _as_read(column: NumberColumn, values: Values) -> NDArray[np.float64]:
    own: NDArray[np.float64] = values.astype(np.float64) * column.unit + column.offset
    return own.round(6) if column.unit == 1 else own
