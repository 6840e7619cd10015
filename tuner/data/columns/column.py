"""A table's columns as networks take them: what each becomes, and how new rows become the same.

A column holds only what may be known of all search rows: its levels, whether it has gaps. What a
fold must learn from its own training rows (medians, scales, which levels are rare) is
`tuner.data.columns.fitting`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tuner.data.columns.dates import PARTS, Part, date_parts, days_of
from tuner.errors import DataError
from tuner.text import counted, quoted

if TYPE_CHECKING:
    import pandas as pd

#: The level of a gap among a category's levels.
GAP = ""
#: A category lists its commonest levels, no more than that; the others are rare in every fold,
#: where networks see the commonest 50 alone.
MOST_LEVELS = 256


class _Column(BaseModel):
    """`name`: the table's column. `gaps`: whether search rows lack a value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    gaps: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it becomes."""
        raise NotImplementedError

    def raw(self, values: pd.Series) -> NDArray[Any]:
        """`values` as the exported model takes them, `(rows,)`: float64 with NaN at gaps, days
        since 1970-01-01, or text."""
        raise NotImplementedError

    def held(self, values: pd.Series) -> NDArray[Any]:
        """What `encode` takes, `(rows,)`."""
        return self.raw(values)

    def encode(self, held: NDArray[Any], into: NDArray[np.float32]) -> None:
        """Write rows of `held` to `into`, zeros `(rows, len(outputs))`; a number's gap is NaN."""
        raise NotImplementedError


class NumberColumn(_Column):
    """One number, and 1 at a gap in a second column if the search rows have gaps.

    Rows hold `(value - offset) / unit`: numbers that float32 would round away (1e9 + 1, 1e9 + 2)
    or not hold at all. Every scaling that a fold fits takes both out again.
    """

    kind: Literal["number"] = "number"
    offset: float = 0.0
    unit: float = 1.0

    @property
    def outputs(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} missing") if self.gaps else (self.name,)

    def raw(self, values: pd.Series) -> NDArray[Any]:
        import pandas as pd

        numbers = pd.to_numeric(values, errors="coerce")
        _require(self.name, "numbers", values[numbers.isna() & values.notna()])
        return numbers.to_numpy(dtype=np.float64, na_value=np.nan)

    def held(self, values: pd.Series) -> NDArray[Any]:
        numbers = isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf"
        return values.to_numpy() if numbers else self.raw(values)

    def encode(self, held: NDArray[Any], into: NDArray[np.float32]) -> None:
        into[:, 0] = (held.astype(np.float64, copy=False) - self.offset) / self.unit
        if self.gaps:
            into[:, 1] = np.isnan(held)


class DateColumn(_Column):
    """A date's days since `origin` (days since 1970-01-01), and its parts; NaN at a gap."""

    kind: Literal["date"] = "date"
    origin: float = 0.0
    parts: tuple[Part, ...] = PARTS

    @property
    def outputs(self) -> tuple[str, ...]:
        named = tuple(f"{self.name} {part}" for part in ("days", *self.parts))
        return (*named, f"{self.name} missing") if self.gaps else named

    def raw(self, values: pd.Series) -> NDArray[Any]:
        import pandas as pd

        if not pd.api.types.is_datetime64_any_dtype(values.dtype):
            _require(self.name, "dates (see pandas.to_datetime)", values.dropna())
            return np.full(len(values), np.nan)
        return days_of(values)

    def encode(self, held: NDArray[Any], into: NDArray[np.float32]) -> None:
        into[:, 0] = held - self.origin
        for number, part in enumerate(date_parts(held, self.parts), start=1):
            into[:, number] = part
        if self.gaps:
            into[:, -1] = np.isnan(held)


class CategoryColumn(_Column):
    """One column of 0 and 1 a level of the search rows, a gap being the level `GAP`; if there are
    more than two levels, the rare ones of a fold share one more column: see `shared`."""

    kind: Literal["category"] = "category"
    levels: tuple[str, ...]

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(f"{self.name}={level or 'missing'}" for level in self.levels)

    @property
    def shared(self) -> bool:
        """Whether there is a column for the levels that are rare in a fold's training rows: what
        it holds differs by fold, so it is none of the encoded rows' own."""
        return len(self.levels) > 2

    @property
    def cut(self) -> bool:
        """Whether there may be more levels than are listed."""
        return len(self.levels) == MOST_LEVELS

    def held(self, values: pd.Series) -> NDArray[Any]:
        """The levels' numbers; `len(levels)` for one that no search row has."""
        found, distinct = texts_of(values)
        numbers = {level: number for number, level in enumerate(self.levels)}
        known = [numbers.get(text, len(self.levels)) for text in distinct]
        return np.array(known, np.int32)[found]

    def raw(self, values: pd.Series) -> NDArray[Any]:
        found, distinct = texts_of(values)
        return np.array(distinct, object)[found]

    def encode(self, held: NDArray[Any], into: NDArray[np.float32]) -> None:
        rows = np.flatnonzero(held < len(self.levels))
        into[rows, held[rows]] = 1


AnyColumn = Annotated[NumberColumn | DateColumn | CategoryColumn, Field(discriminator="kind")]


def _require(name: str, what: str, wrong: pd.Series) -> None:
    """Raises `DataError` for the values of a column that are not what it holds, if there are."""
    if len(wrong):
        raise DataError(
            f"column {name} was trained on as {what}; received {quoted(wrong.iloc[0])} in "
            f"{counted(len(wrong), 'row')}. Available: such values, or a gap"
        )


def texts_of(values: pd.Series) -> tuple[NDArray[np.signedinteger], list[str]]:
    """`values` as text: a number a row `(rows,)` into the list of texts. A gap is -1 and by that
    the last one, `GAP`; whole numbers have no decimal point."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, distinct = values.cat.codes.to_numpy(), values.cat.categories
    else:
        codes, distinct = pd.factorize(values, use_na_sentinel=True)
    return codes, [*map(_text, distinct), GAP]


def _text(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)
