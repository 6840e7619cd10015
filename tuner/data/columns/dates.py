"""A date as numbers: days since 1970-01-01, and the parts of the calendar that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Part = Literal["year", "month", "day", "weekday", "hour"]
PARTS: tuple[Part, ...] = get_args(Part)
_ONE_DAY = np.timedelta64(1, "D")


def days_of(values: pd.Series) -> NDArray[np.float64]:
    """Days since 1970-01-01 (UTC if there are time zones), with the time as a fraction; NaN at a
    gap."""
    if values.dt.tz is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    days: NDArray[np.float64] = (values.to_numpy() - np.datetime64(0, "s")) / _ONE_DAY
    return days


def date_parts(days: Any, parts: Sequence[Part], floor: Any = np.floor) -> list[Any]:
    """`parts` of the days since 1970-01-01, as numbers of the shape of `days`.

    weekday is 0 on Mondays; hour has a fraction. Arithmetic alone (`floor`, of NumPy or Keras),
    so that the exported model computes the same: "chrono-Compatible Low-Level Date Algorithms"
    (Howard Hinnant), the proleptic Gregorian calendar.
    """
    whole = floor(days)
    shifted = whole + 719468  # from 0000-03-01
    era = floor(shifted / 146097)
    day_of_era = shifted - era * 146097
    year_of_era = floor(
        (
            day_of_era
            - floor(day_of_era / 1460)
            + floor(day_of_era / 36524)
            - floor(day_of_era / 146096)
        )
        / 365
    )
    day_of_year = day_of_era - (
        365 * year_of_era + floor(year_of_era / 4) - floor(year_of_era / 100)
    )
    month_from_march = floor((5 * day_of_year + 2) / 153)
    month = month_from_march + 3 - 12 * floor(month_from_march / 10)
    of: Mapping[Part, Callable[[], Any]] = {
        "year": lambda: year_of_era + era * 400 + floor(month_from_march / 10),
        "month": lambda: month,
        "day": lambda: day_of_year - floor((153 * month_from_march + 2) / 5) + 1,
        "weekday": lambda: whole + 3 - 7 * floor((whole + 3) / 7),
        "hour": lambda: (days - whole) * 24,
    }
    return [of[part]() for part in parts]
