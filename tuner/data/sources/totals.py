"""Rows that are no rows: totals under a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tuner.text import quoted

if TYPE_CHECKING:
    import pandas as pd

_TOTAL = re.compile(r"(?i)((grand|sub|column|overall|all)[\s-]?)?(totals?|sums?|summe|gesamt)\W*")


def total_remark(frame: pd.DataFrame) -> str:
    """A sentence if the last row is called a total, as no other is; else ""."""
    for name, column in frame.items():
        last = column.iloc[-1]
        if isinstance(last, str) and _TOTAL.fullmatch(last) and (column == last).sum() == 1:
            return (
                f"the last row may be a total of the others, {name} is {quoted(last)}: take it out "
                "of the file if it is"
            )
    return ""
