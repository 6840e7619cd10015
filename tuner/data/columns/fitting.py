"""What a fold learns of a table's columns from its own training rows, and from no others.

Equal to scikit-learn's ColumnTransformer fitted on those rows: numbers by `SimpleImputer(strategy=
"median", add_indicator=True)` and a scaler, categories by `OneHotEncoder(handle_unknown=
"infrequent_if_exist", min_frequency=..., max_categories=...)`. Columns that it would lack (levels
or gaps that these rows do not have) are zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.column import CategoryColumn, NumberColumn
from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.scaling import Scaling

Floats = NDArray[np.float64]
#: The robust scaling bends v to v / sqrt(1 + (v * CLIP)^2), which stays within +-3.
CLIP = 1 / 3
#: Columns of numbers read at a time.
_BLOCK = 8


class _Spread(NamedTuple):
    """Of the filled values of some columns: the value that becomes 0, and the one-unit step."""

    center: Floats
    step: Floats


def fit_columns(
    encoding: TableEncoding,
    x: NDArray[Any],
    rows: NDArray[np.integer],
    scaling: str,
) -> Scaling:
    """Fit on `rows` of the encoded rows `x` `(all rows, width)`.

    `scaling`: a name of `SPREADS`, or `none`: numbers as the table has them.
    """
    scale = np.zeros(encoding.width)
    shift, fill, clip = np.zeros_like(scale), np.zeros_like(scale), np.zeros_like(scale)
    numbers = _number_columns(encoding)
    for start in range(0, len(numbers), _BLOCK):
        block = numbers[start : start + _BLOCK]
        values = x[np.ix_(rows, block)].astype(np.float64)
        medians = _fill_gaps(values)
        present = ~np.isnan(medians)  # scikit-learn drops a column without a single value
        if scaling == "none":
            center, step = (part[block] for part in _as_in_the_table(encoding))
        else:
            center, step = SPREADS[scaling](values)
        scale[block] = np.where(present, 1 / step, 0.0)
        shift[block] = np.where(present, -center / step, 0.0)
        fill[block] = np.where(present, (medians - center) / step, 0.0)
    if scaling == "robust":
        clip[numbers] = CLIP
    rare = []
    for column, place in zip(encoding.columns, encoding.slices, strict=True):
        if isinstance(column, CategoryColumn):
            counts = x[rows, place].sum(axis=0, dtype=np.float64)
            seldom = rare_levels(counts, encoding) if column.shared else counts < 0
            scale[place] = (counts > 0) & ~seldom
            if column.shared:
                rare.append(seldom | (counts == 0) if seldom.any() else seldom)
        elif column.gaps:
            scale[place.stop - 1] = x[rows, place.stop - 1].any()
    return Scaling(
        shift=shift.astype(np.float32),
        scale=scale.astype(np.float32),
        fill=fill.astype(np.float32),
        clip=clip.astype(np.float32) if clip.any() else None,
        rare=np.concatenate(rare).astype(np.float32) if rare else None,
    )


def rare_levels(counts: Floats, encoding: TableEncoding) -> NDArray[np.bool_]:
    """Which levels with these `counts` `(levels,)` share one column: scikit-learn's rule for
    `min_frequency` and `max_categories`, over the levels that occur."""
    occurring = np.flatnonzero(counts > 0)
    own = counts[occurring]
    rare = own < encoding.min_frequency
    if len(own) - rare.sum() + 1 > encoding.max_categories:
        rare[np.argsort(own, kind="stable")[: len(own) - encoding.max_categories + 1]] = True
    result = np.zeros(len(counts), bool)
    result[occurring] = rare
    return result


def _robust(values: Floats) -> _Spread:
    """Median and interquartile range (without one: half of the range), as RealMLP scales
    (Holzmueller et al., "Better by Default", 2024)."""
    low, center, high = np.percentile(values, [25, 50, 75], axis=0)
    half = (values.max(axis=0) - values.min(axis=0)) / 2
    return _Spread(center, _or_one(np.where(high > low, high - low, half)))


def _standard(values: Floats) -> _Spread:
    """scikit-learn's StandardScaler."""
    constant = values.max(axis=0) == values.min(axis=0)
    return _Spread(values.mean(axis=0), np.where(constant, 1.0, values.std(axis=0)))


def _minmax(values: Floats) -> _Spread:
    """scikit-learn's MinMaxScaler to 0..1."""
    low = values.min(axis=0)
    return _Spread(low, _or_one(values.max(axis=0) - low))


SPREADS: dict[str, Callable[[Floats], _Spread]] = {
    "robust": _robust,
    "standard": _standard,
    "minmax": _minmax,
}


def _or_one(step: Floats) -> Floats:
    return np.where(step > 0, step, 1.0)


def _fill_gaps(values: Floats) -> Floats:
    """Fill NaN by the column's median, in place; a column of nothing else by 0. The medians."""
    gaps = np.isnan(values)
    medians = np.empty(values.shape[1])
    for j, own in enumerate(gaps.T):
        present = values[~own, j] if own.any() else values[:, j]
        medians[j] = np.median(present) if len(present) else np.nan
    np.copyto(values, np.nan_to_num(medians), where=gaps)
    return medians


def _number_columns(encoding: TableEncoding) -> NDArray[np.intp]:
    """Of the rows' columns those that hold numbers: neither levels nor the marks of gaps."""
    numbers = [
        np.arange(place.start, place.stop - column.gaps)
        for column, place in zip(encoding.columns, encoding.slices, strict=True)
        if not isinstance(column, CategoryColumn)
    ]
    return np.concatenate([np.zeros(0, np.intp), *numbers])


def _as_in_the_table(encoding: TableEncoding) -> _Spread:
    """What undoes the columns' own offset and unit."""
    center, step = np.zeros(encoding.width), np.ones(encoding.width)
    for column, place in zip(encoding.columns, encoding.slices, strict=True):
        if isinstance(column, NumberColumn):
            center[place.start] = -column.offset / column.unit
            step[place.start] = 1 / column.unit
        elif not isinstance(column, CategoryColumn):
            center[place.start] = -column.origin
    return _Spread(center, step)
