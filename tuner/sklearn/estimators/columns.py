"""Tables straight into an estimator: columns of text, categories, dates and gaps as the network's
inputs, learned from the rows of one fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.column import CategoryColumn, DateColumn, NumberColumn
from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.fitting import fit_columns
from tuner.data.columns.infer import GivenKind, find_columns
from tuner.data.columns.scaling import Scaling
from tuner.data.sources.frames import plain_table
from tuner.errors import DataError
from tuner.sklearn.estimators.errors import EstimatorError
from tuner.text import listed, quoted, value_text

if TYPE_CHECKING:
    import pandas as pd

#: `categorical_features`: the type of a column says whether it holds categories.
FROM_DTYPE = "from_dtype"
_SHOWN = 8
#: Text of so few different values is a category in whatever number of rows.
_FEW = 50
_RULE = (
    f"categorical_features must be None, {FROM_DTYPE!r}, or the names, the numbers (from 0) or "
    "a mask of columns"
)


@dataclass(frozen=True, eq=False)
class FittedColumns:
    """What the columns of the rows of a fit became.

    Attributes:
        encoding: fitted on these rows, as is `scaling` (numbers as `tuner optimize` scales a
            table's).
        categorical: `(columns,)`, which of X's columns hold categories.
    """

    encoding: TableEncoding
    scaling: Scaling
    categorical: NDArray[np.bool_]

    @classmethod
    def fit(cls, frame: pd.DataFrame, given: object) -> tuple[FittedColumns, NDArray[np.float32]]:
        """Fit on `frame`, as `frame_of` gives it, and bring its rows to the network's inputs
        `(rows, features)`.

        Columns of text with many values that hardly repeat are left out, with a warning.

        Args:
            given: `categorical_features`, not None.

        Raises:
            EstimatorError: columns that do not exist, values that are of no kind that a network
                takes, numbers that are infinite, no column that is left.
        """
        kinds = _kinds(frame, _chosen(given, list(frame.columns)))
        try:
            findings = find_columns(frame, kinds)
        except DataError as error:
            raise EstimatorError(str(error)) from None
        out = [f"{own.name} ({own.why})" for own in findings if own.column is None]
        columns = tuple(own.column for own in findings if own.column is not None)
        if not columns:
            raise EstimatorError(
                f"a network needs an input; every column of X is left out: {listed(out, _SHOWN)}. "
                "A column of the dtype category is kept"
            )
        if out:
            warn(
                f"left out {listed(out, _SHOWN)}; a column of the dtype category is kept",
                stacklevel=5,
            )
        encoding = TableEncoding(columns=columns)
        held = encoding.encode(frame)
        scaling = fit_columns(encoding, held, np.arange(len(frame)), "robust")
        categorical = [kinds.get(name, "category") == "category" for name in frame.columns]
        fitted = cls(encoding, scaling, np.array(categorical))
        return fitted, encoding.inputs(held, scaling)

    def inputs(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """New rows likewise: a level that the fit did not see is rare, or none at all; a gap
        has the column's median.

        Raises EstimatorError for a column of another kind than in the fit, and for numbers that
        are infinite.
        """
        frame = frame.copy(deep=False)
        for column in self.encoding.columns:
            if not isinstance(column, CategoryColumn):
                frame[column.name] = _of_kind(column, frame[column.name])
        with np.errstate(over="ignore"):
            held = self.encoding.encode(frame)
        places = zip(self.encoding.columns, self.encoding.slices, strict=True)
        infinite = [column.name for column, place in places if np.isinf(held[:, place]).any()]
        if infinite:
            raise EstimatorError(
                "X must not contain infinity or numbers too large for float32; got some in "
                f"{listed(infinite, _SHOWN)}"
            )
        return self.encoding.inputs(held, self.scaling)


def frame_of(X: Any, names: Sequence[str] | None) -> pd.DataFrame:
    """Checked rows as a table of plain columns, called `names`, or `x0`, `x1`, ... without.

    Raises EstimatorError for values that are of no kind that a network takes.
    """
    import pandas as pd

    if isinstance(X, pd.DataFrame):
        frame = X
    elif hasattr(X, "to_pandas"):
        frame = X.to_pandas()
    else:
        frame = pd.DataFrame(X).infer_objects()
    if not frame.size:
        raise EstimatorError(f"X must have rows and columns; got {frame.shape} of them")
    names = [f"x{i}" for i in range(frame.shape[1])] if names is None else list(names)
    table = plain_table(frame.set_axis(names, axis=1), "X")
    for name, what in table.unusable.items():
        raise EstimatorError(
            f"a column must hold numbers, text, dates or yes/no; {name} of X holds {what}"
        )
    return table.frame


def refuse_text(X: Any) -> None:
    """Raise EstimatorError if `X` is a table with columns that are no numbers, which an estimator
    without `categorical_features` does not read."""
    if not hasattr(X, "iloc") or not hasattr(X, "columns"):
        return
    from pandas.api import types

    for number, (name, values) in enumerate(X.items()):
        kind = getattr(values.dtype, "categories", values).dtype
        if not types.is_numeric_dtype(kind):
            present = X.iloc[:, number].dropna()
            what = value_text(present.iloc[0]) if len(present) else "nothing"
            raise EstimatorError(
                f"without categorical_features X must hold numbers; column {quoted(name)} holds "
                f"{quoted(what)}. Available: categorical_features={FROM_DTYPE!r}, which takes "
                "text, categories, dates and gaps"
            )


def _chosen(given: object, names: list[str]) -> NDArray[np.bool_] | None:
    """Which columns a person says to hold categories; None: their types say."""
    if isinstance(given, str):
        if given == FROM_DTYPE:
            return None
        raise EstimatorError(f"{_RULE}; got {quoted(given)}")
    values = np.asarray(given, dtype=object)
    if values.ndim != 1:
        raise EstimatorError(f"{_RULE}; got {quoted(given)}")
    items = values.tolist()
    if all(isinstance(item, bool | np.bool_) for item in items) and items:
        if len(items) != len(names):
            raise EstimatorError(
                f"a mask of categorical_features must have a value a column, {len(names)}; got "
                f"{len(items)}"
            )
        return np.array(items, bool)
    chosen = np.zeros(len(names), bool)
    for item in items:
        if isinstance(item, str) and item in names:
            chosen[names.index(item)] = True
        elif (
            isinstance(item, int | np.integer)
            and not isinstance(item, bool)
            and 0 <= item < len(names)
        ):
            chosen[int(item)] = True
        else:
            raise EstimatorError(
                f"categorical_features must be columns of X; got {quoted(item)}. Available: "
                f"{listed(names, _SHOWN)}, or 0 to {len(names) - 1}"
            )
    return chosen


def _kinds(frame: pd.DataFrame, chosen: NDArray[np.bool_] | None) -> dict[str, GivenKind]:
    """What the columns are by their types and by what a person says; without those of text of many
    values, which are to say whether they are categories."""
    import pandas as pd
    from pandas.api import types

    kinds: dict[str, GivenKind] = {}
    for number, (name, values) in enumerate(frame.items()):
        declared = isinstance(values.dtype, pd.CategoricalDtype)
        if (chosen is not None and chosen[number]) or types.is_bool_dtype(values.dtype):
            kinds[str(name)] = "category"
        elif types.is_datetime64_any_dtype(values.dtype):
            kinds[str(name)] = "date"
        elif types.is_numeric_dtype(values.dtype):
            kinds[str(name)] = "number"
        elif chosen is not None:
            raise EstimatorError(
                "categorical_features must name every column that holds no numbers; got none for "
                f"{quoted(str(name))}. Available: {FROM_DTYPE!r}, which finds them"
            )
        elif declared or values.nunique() <= _FEW:
            kinds[str(name)] = "category"
    return kinds


def _of_kind(column: NumberColumn | DateColumn, values: pd.Series) -> pd.Series:
    """`values` of a column that held numbers or dates in the fit."""
    import pandas as pd
    from pandas.api import types

    if not values.notna().any():
        gap = np.datetime64("NaT", "s") if isinstance(column, DateColumn) else np.nan
        return pd.Series(np.full(len(values), gap))
    dates = isinstance(column, DateColumn)
    fits = types.is_datetime64_any_dtype if dates else types.is_numeric_dtype
    if not fits(values.dtype):
        raise EstimatorError(
            f"a column must hold what it held in fit; {column.name} held "
            f"{'dates' if dates else 'numbers'}, got {quoted(value_text(values.dropna().iloc[0]))}"
        )
    return values
