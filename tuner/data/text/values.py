"""Columns of text to numbers, dates and text, by what all of their values are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


def typed(name: str, texts: Any, reading: Reading, kind: str | None = None) -> Typed:
    """The column of `texts`, a pyarrow string array without surrounding spaces.

    Args:
        kind: number: what is none is a gap; category: text, whatever it looks like; None: numbers
            if all values are some in one spelling (1.5, 1,5, 1,234.5, $ 5, 5 kg; never 007), times
            of day (as seconds) and dates if all are some, else text. Nearly all of them numbers:
            `fault` says which are not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = pa.array([*MISSING, *reading.na])
    texts = pc.if_else(pc.is_in(texts, value_set=missing), pa.scalar(None, texts.type), texts)
    if kind == "category":
        return Typed(_series(texts))
    coded = _coded(texts)
    distinct = coded.dictionary.to_pylist()
    if kind is None and any(map(is_code, distinct)):
        return Typed(_series(texts))
    numbers, remarks = numbers_of(distinct, reading, strict=kind is None)
    if kind == "number":
        return _taken(coded, numbers, remarks)
    wrong = [text for text, number in zip(distinct, numbers, strict=True) if number is None]
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
        return Typed(_series(texts), said)
    others = [text for text in wrong if text not in markers]
    counts = pc.value_counts(texts.drop_null()).to_pylist()
    rows = {item["values"]: item["counts"] for item in counts}
    odd = sum(rows[text] for text in others)
    if odd <= (1 - _NEARLY) * sum(rows.values()) and len(distinct) - len(wrong) > 2:
        return Typed(
            _series(texts),
            fault=f"{name} holds numbers, and in {counted(odd, 'row')} "
            f"{listed(list(map(quoted, others)), 3)} (--na {quoted(others[0])} takes that for a "
            f"gap, --kind {quoted(f'{name}=category')} the whole column for text)",
        )
    return Typed(_series(texts))


def _series(texts: Any) -> pd.Series:
    """Text as a pandas category, which holds each level once."""
    import pandas as pd

    coded = _coded(texts)
    levels = pd.Index(coded.dictionary.to_pylist(), dtype=object)
    return pd.Series(pd.Categorical.from_codes(_numbers_of(coded), categories=levels))


def _coded(texts: Any) -> Any:
    """Text as one pyarrow dictionary array."""
    import pyarrow as pa

    coded = texts.dictionary_encode()
    return coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded


def _numbers_of(coded: Any) -> NDArray[np.int64]:
    """The number of each row's text in the dictionary; -1 at a gap."""
    return coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def _of_each(coded: Any, values: pd.Series) -> pd.Series:
    """Rows of `values`, one for each text of the dictionary, and a gap."""
    import pandas as pd

    padded = pd.concat([values, pd.Series([None], dtype=values.dtype)])
    return padded.iloc[_numbers_of(coded)].reset_index(drop=True)


def _taken(coded: Any, numbers: Sequence[float | None], remarks: tuple[Remark, ...]) -> Typed:
    import pandas as pd

    values = np.array([np.nan if n is None else n for n in numbers] + [np.nan])
    return Typed(pd.Series(values[_numbers_of(coded)]), remarks)
