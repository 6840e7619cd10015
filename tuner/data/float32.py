"""Numbers of any type to float32, in which networks compute; what it cannot hold is found."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: In size. A column's spread is then below 2^126, and 1 / spread, by which a scaling multiplies, a
#: number that float32 holds in full: smaller ones are taken for 0.
LARGEST = 4e37
#: Of the largest value of a column, in size. 1 / spread is then no infinity.
SMALLEST = 1e-36
RULE = (
    f"must stay within +-{LARGEST:g}, and not all below {SMALLEST:g} in size, for float32 to hold"
)


def unheld_columns(values: NDArray[Any]) -> NDArray[np.intp]:
    """The numbers of the columns of `(rows, ...)` that are too large in a row, or too small in
    all but not 0: scaled in float32 they carry nothing."""
    flat = values.reshape(len(values), -1)
    with np.errstate(over="ignore"):
        high, low = (end.astype(np.float64) for end in (flat.max(axis=0), flat.min(axis=0)))
    size = np.maximum(np.abs(high), np.abs(low))
    return np.flatnonzero((size > LARGEST) | ((size > 0) & (size < SMALLEST)))
