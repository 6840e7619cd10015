"""Features that add up to the target, such as the parts of a total."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Rows that are looked at, and rows for each column at least.
_ROWS, _EACH = 2000, 5
#: Shares of the target's spread: of what may be left over, and of what a part must account for.
_LEFT, _PART = 1e-5, 1e-3
#: Of a sum.
_PARTS = 6


def summands(
    names: Sequence[str], values: NDArray[np.float64], y: NDArray[np.float64]
) -> list[str]:
    """The columns whose sum or difference `y` is, up to one factor and a constant; empty if it is
    none of two to six columns.

    Args:
        values: `(rows, columns)`, `y` `(rows,)`, perhaps with NaN.
    """
    whole = ~np.isnan(values).any(axis=1)
    values, y = values[whole][:_ROWS], y[whole][:_ROWS]
    spread = values.std(axis=0) if len(values) else np.zeros(0)
    varying = np.flatnonzero(spread > 0)
    if len(varying) < 2 or len(y) < _EACH * len(varying) or y.std() == 0:
        return []
    scaled = (values[:, varying] - values[:, varying].mean(axis=0)) / spread[varying]
    weights, *_ = np.linalg.lstsq(scaled, y - y.mean())
    if (y - y.mean() - scaled @ weights).std() > _LEFT * y.std():
        return []
    parts = np.flatnonzero(np.abs(weights) > _PART * y.std())
    factors = np.abs(weights[parts] / spread[varying[parts]])
    same = len(parts) > 1 and np.allclose(factors, factors[0], rtol=1e-2)
    return [names[varying[part]] for part in parts] if same and len(parts) <= _PARTS else []
