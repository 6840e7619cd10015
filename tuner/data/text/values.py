"""Columns of text to numbers, dates and text, by what all of their values are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuner.data.sources.base import Reading
from tuner.data.text.cells import MISSING, MISSING_NUMBERS, is_code
from tuner.data.text.dates import as_dates, of_many_spellings
from tuner.data.text.numbers import Remark, numbers_of
from tuner.text import counted, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

#: Text that is no number makes a column text, unless more than this share of it is numbers.
_NEARLY = 0.9


@dataclass(frozen=True, eq=False)
class Typed:
    """A column, what was taken for granted (sentences with a `{}` for the example, and that), and
    what is wrong with it ("": nothing)."""

    values: pd.Series
    remarks: tuple[Remark, ...] = ()
    fault: str = ""


def typed(name: str, column: Any, reading: Reading, kind: str | None = None) -> Typed:
    """The column of text, a pyarrow dictionary array or one of strings in chunks.

    Args:
        kind: number: what is none is a gap; category: text, whatever it looks like; None: numbers
            if all values are some in one spelling (1.5, 1,5, 1,234.5, $ 5, 5 kg; never 007), times
            of day (as seconds) and dates if all are some, else text. Nearly all of them numbers:
            `fault` says which are not.
    """
    coded = _coded(column, {*MISSING, *reading.na})
    distinct = coded.texts
    if kind == "category" or (kind is None and any(map(is_code, distinct))):
        return Typed(_series(coded))
    numbers, remarks = numbers_of(distinct, reading, strict=kind is None)
    wrong = [text for text, number in zip(distinct, numbers, strict=True) if number is None]
    if kind == "number":
        if wrong:
            shown = listed(list(map(quoted, wrong)), 3)
            remarks = (*remarks, ("what is no number is taken for a gap, as {}", shown))
        return _taken(coded, numbers, remarks)
    markers = [text for text in wrong if text in MISSING_NUMBERS]
    if len(distinct) > len(wrong) == len(markers):
        if markers:
            marked = listed(list(map(quoted, markers)))
            remarks = (*remarks, ("{} is taken for a gap (--na)", marked))
        return _taken(coded, numbers, remarks)
    if dates := as_dates(distinct, wrong):
        values, said = dates
        return Typed(_of_each(coded, values), said)
    if said := of_many_spellings(distinct):
        return Typed(_series(coded), said)
    others = [text for text in wrong if text not in markers]
    if len(distinct) - len(wrong) > 2:
        gaps, *rows = np.bincount(coded.codes + 1, minlength=len(distinct) + 1).tolist()
        counts = dict(zip(distinct, rows, strict=True))
        odd = sum(counts[text] for text in others)
        if odd <= (1 - _NEARLY) * (len(coded.codes) - gaps):
            return Typed(
                _series(coded),
                fault=f"{name} holds numbers, and in {counted(odd, 'row')} "
                f"{listed(list(map(quoted, others)), 3)} (--na {quoted(others[0])} takes that for "
                f"a gap, --kind {quoted(f'{name}=category')} the whole column for text)",
            )
    return Typed(_series(coded))


class _Coded(NamedTuple):
    """Text as the number of each row's text (-1 at a gap) among the different ones, which come in
    the order of their first rows."""

    codes: NDArray[np.int32]
    texts: list[str]


def _coded(column: Any, missing: Collection[str]) -> _Coded:
    """The column without the spaces around its values; those that are `missing` are gaps."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    number: dict[str, int] = {}
    texts = map(str.strip, array.dictionary.to_pylist())
    own = [-1 if text in missing else number.setdefault(text, len(number)) for text in texts]
    if own != list(range(len(own))):
        codes = np.array([*own, -1], np.int32)[codes]
    return _Coded(codes, list(number))


def _series(coded: _Coded) -> pd.Series:
    """A pandas category, which holds each level once."""
    import pandas as pd

    levels = pd.Index(coded.texts, dtype=object)
    return pd.Series(pd.Categorical.from_codes(coded.codes, categories=levels))


def _of_each(coded: _Coded, values: pd.Series) -> pd.Series:
    """Rows of `values`, one for each different text, and a gap."""
    import pandas as pd

    padded = pd.concat([values, pd.Series([None], dtype=values.dtype)])
    return padded.iloc[coded.codes].reset_index(drop=True)


def _taken(coded: _Coded, numbers: Sequence[float | None], remarks: tuple[Remark, ...]) -> Typed:
    import pandas as pd

    values = np.array([np.nan if n is None else n for n in numbers] + [np.nan])
    return Typed(pd.Series(values[coded.codes]), remarks)
