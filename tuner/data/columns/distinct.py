"""The different values of a table's column: how many there are, and which come first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

#: So many of the different values are wanted themselves; of numbers and dates `_EXAMPLES`.
_FIRST, _EXAMPLES = 100, 3
#: Rows that mostly hold so many.
_HEAD = 1000


class Seen(NamedTuple):
    """Of a column the rows without a value, the number of different values, the first of these as
    rows come, and its values in rising order if they are numbers."""

    gaps: int
    distinct: int
    first: Any
    ordered: NDArray[np.float64] | None


def look_at(values: pd.Series) -> Seen:
    """What `values` hold. Numbers and dates are sorted, which takes less time than to hash them."""
    import pandas as pd
    from pandas.api import types

    kind = values.dtype
    if isinstance(kind, pd.CategoricalDtype):
        levels = pd.unique(values.cat.codes.to_numpy())
        levels = levels[levels >= 0]
        gaps = int(values.isna().sum())
        return Seen(gaps, len(levels), values.cat.categories[levels[:_FIRST]], None)
    present = values.dropna()
    gaps = len(values) - len(present)
    numbers = types.is_numeric_dtype(kind) and not types.is_bool_dtype(kind)
    if not numbers and not types.is_datetime64_dtype(kind):
        first = present.unique()
        return Seen(gaps, len(first), first, None)
    ordered = present.to_numpy()
    ordered = np.sort(ordered if numbers else ordered.view(np.int64))
    distinct = int((ordered[1:] != ordered[:-1]).sum()) + bool(len(ordered))
    first = present[:_HEAD].unique()
    if len(first) < min(distinct, _EXAMPLES):
        first = present.unique()
    return Seen(gaps, distinct, first, ordered.astype(np.float64, copy=False) if numbers else None)
