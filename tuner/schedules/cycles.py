"""Training cut into cycles: the first of n epochs, each later one `growth` times as long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cycle_starts(
    first: float, growth: float, end: float, restarts: int | None = None
) -> NDArray[np.float64]:
    """When cycles start, the first at 0, all before `end`: `first * (1 + growth + growth^2 ...)`.

    Times and lengths are in one unit, steps or epochs, and need not be whole. `restarts` bounds
    how many starts follow the first; None: as many as there is room for.
    """
    starts, length = [0.0], float(first)
    while restarts is None or len(starts) <= restarts:
        # Rounded so that a start that is whole in theory is whole.
        start = round(starts[-1] + length, 6)
        if start >= end:
            break
        starts.append(start)
        length *= growth
    return np.array(starts)
