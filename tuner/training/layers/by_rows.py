"""First weights of a Dense layer that follow from the rows that reach it, as RealMLP's do.

Sources: Holzmueller, Grinsztajn, Steinwart, "Better by default" (2024, arXiv 2407.04491), section
3.3; scaling units by data: Kraehenbuehl et al., "Data-dependent initializations of convolutional
neural networks" (2016); he+5: Steinwart, "A sober look at neural network initializations" (2019).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Of the largest sum: below that a spread is rounding.
_ROUNDING = 1e-6
#: Rows of which a bias is a mean: the 5 of he+5.
_ROWS = 5


def unit_variance(
    kernel: NDArray[np.float32], sums: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and sums scaled so that each unit's sums over the rows have variance 1.

    Args:
        kernel: `(inputs, units)` of standard normal numbers.
        sums: `rows @ kernel`, `(rows, units)`. A unit that has the same sum for all rows is
            scaled by 1 / sqrt(inputs).
    """
    spread = sums.std(axis=0, dtype=np.float64)
    flat = spread <= _ROUNDING * np.abs(sums).max(axis=0)
    factor = np.where(flat, len(kernel) ** -0.5, 1.0 / np.where(flat, 1.0, spread))
    return kernel * factor.astype(np.float32), sums * factor.astype(np.float32)


def he_plus_5(sums: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """Biases `(units,)` that lay each unit's bend among the rows: `-sum_i w_i * sums[r_i]` of 5
    rows r drawn for the unit and weights w drawn uniformly from those that sum to 1."""
    rows, units = sums.shape
    drawn = generator.integers(rows, size=(_ROWS, units))
    weights = generator.exponential(size=(_ROWS, units))
    weights /= weights.sum(axis=0)
    chosen = np.take_along_axis(sums, drawn, axis=0)
    return np.asarray(-(weights * chosen).sum(axis=0), np.float32)
