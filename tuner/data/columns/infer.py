"""What the columns of a table are: numbers, categories, dates; names and prose are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.column import (
    MOST_LEVELS,
    AnyColumn,
    CategoryColumn,
    DateColumn,
    NumberColumn,
    texts_of,
)
from tuner.data.columns.dates import PARTS, Part, date_parts, days_of
from tuner.data.columns.distinct import look_at
from tuner.errors import DataError
from tuner.text import shortened, value_text

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "category", "yes/no", "date", "identifier", "text", "constant", "empty"]
#: What a person may say that a column is.
GivenKind = Literal["number", "category", "date"]
GIVEN_KINDS: tuple[GivenKind, ...] = get_args(GivenKind)

#: Fewer rows than this say nothing about identifiers.
_ENOUGH = 20
#: Text is a category if a level has at least so many rows on average.
_ROWS_A_LEVEL = 2
#: Whole numbers that all differ count rows if they reach no further than so many times the rows.
_DENSE = 1.2
#: Dates of which all parts mostly vary already.
_FEW = 1000
#: Characters of an example.
_EXAMPLE = 60
#: Characters of a value within a sentence.
_VALUE = 24
#: Words of a text that is written for people.
_WORDS = 4
_IDENTIFIER = re.compile(
    r"(?i)(^|[\W_])(id|ids|uuid|guid|pid|phone|telephone|mobile|e-?mail|url|account|ssn|passport)$"
)
_IDENTIFIER_CAMEL = re.compile(r"[a-z](Id|ID|Url|URL|Phone|Email)$")
#: Names of what counts, if all of it differs.
_COUNTER = re.compile(
    r"(?i)(^|[\W_]|(?<=[a-z]))(row ?names?|rows?|index|no|nr|number|serial|obs|observation|case|"
    r"record|subject|patient|participant|person|customer|student|unnamed: \d+)$"
)
#: A first column without a name.
_UNNAMED = ("1", "column 1")
#: Names of what may rise from row to row and yet say something of the row.
_TIME = re.compile(
    r"(?i)(^|[\W_])(years?|yr|months?|weeks?|days?|hours?|dates?|time|t|age)([\W_]|$)"
)
#: Under a name such as these, values of which more than this share differ name rows.
_NEARLY_ALL = 0.9
_ADDRESS = re.compile(r"(https?://|www\.)\S+|[^@\s]+@[^@\s]+\.[^@\s]+|[0-9a-fA-F-]{16,}")
_YES_NO = ({"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"on", "off"})
#: Beyond this and below its inverse, float32 loses a number's square.
_LARGE = 1e18


@dataclass(frozen=True)
class ColumnFinding:
    """What a column of the table is.

    Attributes:
        name, kind: of the table's column.
        gaps: rows without a value.
        distinct: different values.
        examples: a few of them, as text.
        column: what the networks take; None: it is left out.
        why: why it is left out, "" if it is not.
        warnings: what makes it doubtful as a feature, a few words each.
    """

    name: str
    kind: Kind
    gaps: int
    distinct: int
    examples: tuple[str, ...]
    column: AnyColumn | None
    why: str = ""
    warnings: tuple[str, ...] = ()


def find_columns(
    frame: pd.DataFrame, kinds: Mapping[str, GivenKind] | None = None
) -> list[ColumnFinding]:
    """What each column of `frame` is.

    Of type: booleans are yes/no; dates are dates; numbers are numbers; text is a category. Left out
    are columns without a value or with one alone, identifiers (whole numbers that count the rows;
    values all different under a name such as `id`; text that differs in every row), and text of
    which fewer than two rows share one on average, or of many words.

    Args:
        kinds: columns by name whose kind is given, which then are never left out.

    Raises:
        DataError: a column that cannot be of the kind given.
    """
    given = kinds or {}

    def find(column: tuple[Any, pd.Series]) -> ColumnFinding:
        name, values = str(column[0]), column[1]
        return _find(name, values, given.get(name))

    with ThreadPoolExecutor() as pool:
        return list(pool.map(find, frame.items()))


def _find(name: str, values: pd.Series, given: GivenKind | None) -> ColumnFinding:
    from pandas.api import types

    rows = len(values)
    gaps, distinct, levels, ordered = look_at(values)
    examples = tuple(
        shortened(value_text(value).removesuffix(" 00:00:00"), _EXAMPLE)
        for value in levels[:3].tolist()
    )

    def found(kind: Kind, column: AnyColumn | None, why: str = "") -> ColumnFinding:
        return ColumnFinding(name, kind, gaps, distinct, examples, column, why)

    if given is not None:
        return found(given, _as(given, name, values, ordered))
    if gaps == rows:
        return found("empty", None, "it has no value")
    if distinct == 1 and not gaps:
        only = examples[0] if len(examples[0]) <= _VALUE else "the same"
        return found("constant", None, f"it is {only} in every row")
    if types.is_bool_dtype(getattr(values.dtype, "categories", values).dtype):
        return found("yes/no", _category(name, values))
    if types.is_datetime64_any_dtype(values.dtype):
        return found("date", _date(name, values))
    if ordered is not None:
        differ = rows >= _ENOUGH and distinct > _NEARLY_ALL * rows
        why = _names_rows(name, values, ordered, distinct == rows) if differ else ""
        if why:
            return found("identifier", None, why)
        return found("number", _number(name, gaps > 0, ordered))
    if set(map(str.lower, map(str, levels[:3]))) in _YES_NO:
        return found("yes/no", _category(name, values))
    if distinct == rows - gaps and rows >= _ENOUGH:
        return found("identifier", None, "its text differs in every row")
    if _ROWS_A_LEVEL * distinct > rows - gaps:
        return found("text", None, f"{distinct} different texts in {rows - gaps} rows")
    if distinct > _ENOUGH and all(map(_ADDRESS.fullmatch, map(str, levels[:100]))):
        return found("identifier", None, "its values are addresses or codes")
    words = sum(len(text.split()) for text in map(str, levels[:100]))
    if words > _WORDS * min(distinct, 100) and distinct > _ENOUGH:
        return found("text", None, "its values are sentences")
    return found("category", _category(name, values))


def _names_rows(name: str, values: pd.Series, ordered: NDArray[np.float64], every: bool) -> str:
    """Why these numbers (`ordered`: sorted), of which all (`every`) or nearly all differ, name rows
    and tell nothing of them; "" if they do not."""
    if not (ordered == np.floor(ordered)).all():
        return ""
    named = named_as_identifier(name) or _COUNTER.search(name) is not None
    if every and ordered[-1] - ordered[0] < _DENSE * len(ordered):
        rises = values.is_monotonic_increasing or values.is_monotonic_decreasing
        counts = named or name in _UNNAMED or (rises and not _TIME.search(name))
        return "it counts the rows" if counts else ""
    if not named:
        return ""
    return f"its values differ in {'every row' if every else 'nearly all rows'}, as names do"


def named_as_identifier(name: str) -> bool:
    """Whether a column of this name says which thing a row is about."""
    return bool(_IDENTIFIER.search(name) or _IDENTIFIER_CAMEL.search(name))


def _as(
    kind: GivenKind, name: str, values: pd.Series, ordered: NDArray[np.float64] | None
) -> AnyColumn:
    import pandas as pd
    from pandas.api import types

    if kind == "category":
        return _category(name, values)
    if kind == "date" and types.is_datetime64_any_dtype(values.dtype):
        return _date(name, values)
    if kind == "number" and ordered is not None:
        return _number(name, bool(values.isna().any()), ordered)
    wrong = values.dropna()
    if kind == "number":
        wrong = wrong[pd.to_numeric(wrong, errors="coerce").isna()]
    raise DataError(
        f"a column must hold what --kind says; {name} is to be a {kind} and holds "
        f"{value_text(wrong.iloc[0])!r}. Available: {', '.join(GIVEN_KINDS)}"
    )


def _number(name: str, gaps: bool, ordered: NDArray[np.float64]) -> NumberColumn:
    ends = ordered[[0, -1]] if len(ordered) else np.zeros(2)
    wrong = ends[~np.isfinite(ends)]
    if len(wrong):
        raise DataError(
            f"numbers must be finite; column {name} holds {wrong[0]} (--na {wrong[0]} takes "
            "that for a gap)"
        )
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    offset = float(middle.mean()) if len(ordered) else 0.0  # the median
    largest = float(np.abs(ends - offset).max()) if len(ordered) else 0.0
    unit = largest if largest > _LARGE or 0 < largest < 1 / _LARGE else 1.0
    return NumberColumn(name=name, gaps=gaps, offset=offset, unit=unit)


def _date(name: str, values: pd.Series) -> DateColumn:
    days = days_of(values)
    present = days[~np.isnan(days)]
    varying = _varying(present[:_FEW])
    if len(varying) < len(PARTS):
        varying = _varying(np.unique(present))
    origin = float(np.floor(np.median(present))) if len(present) else 0.0
    return DateColumn(name=name, gaps=len(present) < len(days), origin=origin, parts=varying)


def _varying(days: NDArray[np.float64]) -> tuple[Part, ...]:
    """The parts of the calendar that differ among these days."""
    parts = zip(PARTS, date_parts(days, PARTS), strict=True)
    return tuple(part for part, own in parts if (own != own[:1]).any())


def _category(name: str, values: pd.Series) -> CategoryColumn:
    codes, texts = texts_of(values)
    gaps, *rows = np.bincount(codes.astype(np.intp) + 1, minlength=len(texts)).tolist()
    of: dict[str, int] = {}
    for text, number in zip(texts, (*rows, gaps), strict=True):
        of[text] = of.get(text, 0) + number
    levels = [text for text, number in of.items() if number]
    if len(levels) > MOST_LEVELS:  # the others are rare in every fold, as unknown ones are
        levels = sorted(levels, key=lambda level: (-of[level], level))[:MOST_LEVELS]
    return CategoryColumn(name=name, gaps=gaps > 0, levels=tuple(sorted(levels)))
