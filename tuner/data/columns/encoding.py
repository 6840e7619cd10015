"""A table as the networks' inputs: its columns side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tuner.data.columns.column import AnyColumn, CategoryColumn
from tuner.data.columns.scaling import Scaling

if TYPE_CHECKING:
    import pandas as pd

#: Encoded at a time: so many stay in the processor's cache.
_ROWS = 8192


class TableEncoding(BaseModel):
    """What the columns of a table become, fitted on all search rows; no fold's secret is in it.

    Rows are held as `(rows, width)` float32. Networks see `features` inputs: these columns at
    their own fold's scale, then one column for the rare levels of each category that has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[AnyColumn, ...]
    min_frequency: int = 5
    max_categories: int = 50

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the networks' inputs."""
        held = [name for column in self.columns for name in column.outputs]
        return (*held, *(f"{column.name}=rare" for column, *_ in self.shared))

    @property
    def width(self) -> int:
        return sum(len(column.outputs) for column in self.columns)

    @property
    def features(self) -> int:
        return self.width + len(self.shared)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Which of the networks' inputs are numbers: of number columns, and a date's days and
        parts; neither categories nor marks of gaps."""
        return tuple(
            place.start + own
            for column, place in zip(self.columns, self.slices, strict=True)
            if not isinstance(column, CategoryColumn)
            for own in range(len(column.outputs) - column.gaps)
        )

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each of `columns` stands among the rows' columns."""
        ends = np.cumsum([0, *(len(column.outputs) for column in self.columns)]).tolist()
        return tuple(slice(*ends) for ends in pairwise(ends))

    @cached_property
    def shared(self) -> tuple[tuple[CategoryColumn, slice, slice], ...]:
        """Categories with a column for rare levels, where each stands among the rows' columns, and
        where its levels stand in `Scaling.rare`."""
        found, first = [], 0
        for column, place in zip(self.columns, self.slices, strict=True):
            if isinstance(column, CategoryColumn) and column.shared:
                found.append((column, place, slice(first, first + len(column.levels))))
                first += len(column.levels)
        return tuple(found)

    def encode(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """`frame`'s rows, `(rows, width)`; numbers must be within float32 after the columns'
        own offset and unit."""
        rows = np.zeros((len(frame), self.width), np.float32)

        def write(start: int) -> None:
            part = slice(start, start + _ROWS)
            for column, place, own in zip(self.columns, self.slices, held, strict=True):
                column.encode(own[part], rows[part, place])

        with ThreadPoolExecutor() as pool:
            held = list(pool.map(lambda column: column.held(frame[column.name]), self.columns))
            list(pool.map(write, range(0, len(rows), _ROWS)))
        return rows

    def raw(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        """`frame`'s rows as the exported model takes them: by name, `(rows, 1)` each."""
        return {column.name: column.raw(frame[column.name])[:, None] for column in self.columns}

    def inputs(self, x: NDArray[np.float32], scaling: Scaling) -> NDArray[np.float32]:
        """What a network sees of encoded rows `x` under a fold's `scaling`, `(rows, features)`;
        a level that no search row has is rare if any level is."""
        values = x * scaling.scale + scaling.shift
        if scaling.fill is not None:
            values = np.where(np.isnan(values), scaling.fill, values)
        if scaling.clip is not None:
            values = values / np.sqrt(1 + (values * scaling.clip) ** 2)
        shared = [values]
        for _, place, levels in self.shared:
            assert scaling.rare is not None
            own = scaling.rare[levels]
            known = x[:, place].any(axis=1)
            rare = np.where(known, own[x[:, place].argmax(axis=1)], own.max())
            shared.append(rare[:, None])
        return np.concatenate(shared, axis=1, dtype=np.float32)
