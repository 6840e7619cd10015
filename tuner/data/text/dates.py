"""Dates as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuner.text import listed, quoted

if TYPE_CHECKING:
    import pandas as pd

_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y",
    "%B %d, %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M:%S.%f", "T%H:%M",
    " %I:%M %p", " %I:%M:%S %p")  # fmt: skip
_COMPACT = "%Y%m%dT%H%M%S"
#: Sentences with a `{}` for an example, and the example.
Remarks = tuple[tuple[str, str], ...]
#: Texts by which it is seen that dates have several spellings.
_SAMPLE = 1000
#: What no date lacks: digits and something between them.
_LIKE = re.compile(r"\d{8}T\d{6}$|\d{1,4}[-/. ]\w{1,9}[-/. ]\d{1,4}|\w{3,9} \d{1,2}, \d{4}")


def as_dates(texts: Sequence[str], wrong: Sequence[str]) -> tuple[pd.Series, Remarks] | None:
    """`texts` as dates if all of them are some in one spelling, and what was taken for granted;
    None if they are none. `wrong`: those that are no numbers."""
    import pandas as pd

    if len(wrong) < len(texts) or not texts or not all(map(_LIKE.match, texts)):
        return None
    fitting = []
    for spelling in (*(date + time for date in _FORMATS for time in _TIMES), _COMPACT):
        try:
            pd.to_datetime(texts[0], format=spelling)
            values = pd.Series(pd.to_datetime(pd.Series(texts), format=spelling))
        except ValueError:
            continue
        fitting.append((spelling, values))
    if not fitting:
        return _with_zones(texts)
    spelling, values = fitting[0]
    if len(fitting) == 1 or all(own.equals(values) for _, own in fitting[1:]):
        return values, ()
    first = "month" if spelling.startswith("%m") else "day"
    said = f"dates such as {{}} are read with the {first} first, a guess"
    return values, ((said, quoted(texts[0])),)


def of_many_spellings(texts: Sequence[str]) -> Remarks:
    """What to say of `texts` that are all dates, in more than one spelling: which day one of them
    means is the file's to say."""
    import pandas as pd

    if not texts or not all(map(_LIKE.match, texts)):
        return ()
    left, kinds = pd.Series(texts[:_SAMPLE]), []
    for spelling in (date + time for time in _TIMES for date in _FORMATS):
        fits = pd.to_datetime(left, format=spelling, errors="coerce").notna()
        if fits.any():
            kinds.append(quoted(left[fits].iloc[0]))
            left = left[~fits]
        if left.empty:
            said = "dates of several spellings, such as {}, are left as text; write them in one"
            return ((said, listed(kinds, 3)),)
    return ()


def _with_zones(texts: Sequence[str]) -> tuple[pd.Series, Remarks] | None:
    import pandas as pd

    zoned = pd.Series(texts).str.replace(" (UTC|GMT)$", "Z", regex=True)
    try:
        values = pd.to_datetime(zoned, format="ISO8601", utc=True)
    except ValueError:
        return None
    return values.dt.tz_localize(None), ()
