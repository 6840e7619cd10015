"""Distributions that `scipy.stats` has no frozen form of.

They have the one method that scikit-learn's ParameterSampler asks of a distribution: `rvs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class IntLogUniform:
    """Whole numbers from low to high, log-uniform: `round(exp(U))` with U uniform on
    `log(low - 0.5) .. log(high + 0.5)`, which is how Optuna samples its logarithmic integers."""

    low: int
    high: int

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """One int if `size` is None, else an int64 array of that shape."""
        import numpy as np
        from sklearn.utils import check_random_state

        ends = math.log(self.low - 0.5), math.log(self.high + 0.5)
        drawn = np.exp(check_random_state(random_state).uniform(*ends, size=size))
        whole = np.clip(np.rint(drawn), self.low, self.high).astype(np.int64)
        return int(whole) if size is None else whole


@dataclass(frozen=True)
class ExpOf:
    """`exp` of what another distribution draws, which lies between log(low) and log(high)."""

    logarithm: Any
    low: float
    high: float

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """One float if `size` is None, else a float64 array of that shape."""
        import numpy as np

        drawn = np.exp(self.logarithm.rvs(size=size or 1, random_state=random_state))
        # The ends themselves may be missed by a rounding of exp(log(x)).
        inside = np.clip(drawn, self.low, self.high)
        return float(inside[0]) if size is None else inside
