"""Data of a program's memory: as arrays or a table, in files beside the storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.features import encode_features
from tuner.data.saved import save_arrays, save_table
from tuner.data.sources.arrays import FEATURES, GROUPS, TARGETS
from tuner.data.sources.base import RawData
from tuner.data.sources.frames import plain_table
from tuner.data.targets import plain_targets
from tuner.errors import DataError, UsageError
from tuner.files import too_large
from tuner.kept import Kept
from tuner.parameters import show
from tuner.text import quoted, said

if TYPE_CHECKING:
    import pandas as pd

#: What data in memory are called in messages.
_SOURCE = "X"


@dataclass(frozen=True)
class GivenData:
    """Where data are now: their URI, and the target's and the group's column or array; `notes` for
    people, a line each."""

    uri: str
    target: str | None = None
    group: str | None = None
    notes: tuple[str, ...] = ()


def data_of(
    folder: Path, X: Any, y: Any, data: Any, target: str | None, group: Any, kept: Kept
) -> GivenData:
    """Where the data are that a search is given; those of memory are written, see `keep_data`."""
    if X is not None and data is not None:
        raise UsageError("data are X and y, or data=; received both")
    if X is None and y is not None:
        raise UsageError("y is the target of X; received y without X. Available: data=, target=")
    if isinstance(data, str) or (data is None and X is None):
        if group is not None and not isinstance(group, str):
            raise UsageError("group= of values goes with X; data= takes the name of a column")
        return GivenData(data or "", target, group)
    if X is None and frame_of(data) is None:
        raise UsageError(
            f"data= takes a URI or a DataFrame; received {show(data)}. Available: 'csv:wine.csv', "
            "or X and y"
        )
    x = data if X is None else X
    return keep_data(folder, x, y, target=target, group=group, kept=kept)


def keep_data(
    folder: Path,
    X: Any,
    y: Any = None,
    *,
    target: str | None = None,
    group: Any = None,
    kept: Kept | None = None,
) -> GivenData:
    """Write what a search is made on into `folder`, named by its contents.

    Args:
        X: `(rows, columns)` or `(rows, height, width[, channels])` numbers, sparse ones too, or a
            DataFrame, whose columns may be text, dates and categories with gaps.
        y: `(rows,)` or `(rows, targets)`; None: `target` is a column of the DataFrame.
        target: the column(s) of a DataFrame to predict.
        kept: takes back what is written, if nothing comes of it.
        group: name of a DataFrame's column, or `(rows,)` values, of which equal ones stay in one
            fold.

    Raises:
        DataError: what no search can be made on, or the folder cannot be written.
    """
    frame, kept = frame_of(X), kept or Kept()
    if frame is not None:
        return _keep_table(folder, frame, y, target, group, kept)
    if target is not None or isinstance(group, str):
        named = f"target={quoted(target)}" if target is not None else f"group={quoted(group)}"
        raise UsageError(
            f"{named} names a column, which arrays have not. Available: X, y and group= of "
            "values, or a DataFrame"
        )
    if y is None:
        raise UsageError("a search needs a target for every row; received X without y")
    arrays = {FEATURES: _features(X)}
    arrays[TARGETS] = plain_targets(_array(y, "y"), len(arrays[FEATURES]), "y")
    if group is not None:
        arrays[GROUPS] = plain_targets(_array(group, "group"), len(arrays[FEATURES]), "group")
    return GivenData(save_arrays(folder, arrays, kept), group=None if group is None else GROUPS)


def frame_of(X: Any) -> pd.DataFrame | None:
    """`X` if it is a frame, of pandas or of what turns into one; None: it is an array."""
    import pandas as pd

    held = X.to_pandas() if hasattr(X, "to_pandas") else X
    return pd.DataFrame(held) if isinstance(held, pd.DataFrame | pd.Series) else None


def features_of(X: Any) -> NDArray[Any]:
    """Rows of numbers as an array, sparse ones dense. Raises `DataError`."""
    if hasattr(X, "toarray"):
        size = int(np.prod(X.shape)) * X.dtype.itemsize
        if reason := too_large(size):
            raise DataError(
                f"networks take dense rows; X, made dense, {reason}. Available: fewer columns, "
                "such as sklearn.decomposition.TruncatedSVD makes"
            )
        X = X.toarray()
    try:
        array = _array(X, _SOURCE)
    except ValueError as error:
        raise DataError(
            f"X must be rows of equally many numbers, or a DataFrame; received {show(X)} "
            f"({said(error)})"
        ) from error
    if array.dtype.kind not in "biufO":
        raise DataError(
            f"X must hold numbers, or be a DataFrame, whose columns may be text; received an array "
            f"of the type {array.dtype}. Available: pandas.DataFrame(X)"
        )
    return array


def _array(values: Any, name: str) -> NDArray[Any]:
    """Raises `DataError` for masked values, which an array would show again."""
    if np.ma.is_masked(values):
        raise DataError(
            f"arrays have no gaps; {name} has {np.ma.count_masked(values)} masked values. "
            "Available: pandas.DataFrame(X), whose gaps are filled fold by fold"
        )
    return np.asarray(values)


def _features(X: Any) -> NDArray[Any]:
    """`X` as networks take it, in its own shape: float32, or bytes."""
    array = features_of(X)
    if array.dtype.kind in "fO" and array.ndim == 2 and _has_gaps(array):
        raise DataError(
            "numbers in arrays have no gaps; X has some. Available: pandas.DataFrame(X), whose "
            "gaps are filled fold by fold"
        )
    encoded = encode_features(RawData(x=array, y=None), _SOURCE)
    return encoded.x.reshape(array.shape)


def _has_gaps(array: NDArray[Any]) -> bool:
    import pandas as pd

    return bool(pd.isna(array).any())


def _keep_table(
    folder: Path, X: pd.DataFrame, y: Any, target: str | None, group: Any, kept: Kept
) -> GivenData:
    import pandas as pd

    table = plain_table(X, _SOURCE)
    frame = table.frame.drop(columns=list(table.unusable))
    if y is not None:
        if target is not None:
            raise UsageError(
                f"the target is y, or a column of X; received both, y and target={quoted(target)}"
            )
        beside = _beside(y, "target", frame)
        frame, target = pd.concat([frame, beside], axis=1), ",".join(beside.columns)
    elif target is None:
        raise UsageError(
            "a search needs a target; received a DataFrame without one. Available: y, or target= "
            "with one of its columns"
        )
    if group is not None and not isinstance(group, str):
        beside = _beside(group, "group", frame)
        if len(beside.columns) != 1:
            raise DataError(
                f"group= takes one value a row; received {len(beside.columns)} columns of them"
            )
        frame, [group] = pd.concat([frame, beside], axis=1), beside.columns
    return GivenData(save_table(folder, frame, kept), target, group, table.remarks)


def _beside(values: Any, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Values a row as columns that `frame` does not have, called as they are if they have names."""
    import pandas as pd

    values = values.to_pandas() if hasattr(values, "to_pandas") else values
    if isinstance(values, pd.Series):
        held = values.to_frame(name if values.name is None else str(values.name))
    elif isinstance(values, pd.DataFrame):
        held = values.copy(deep=False)
    else:
        array = _array(values, name)
        if array.ndim not in (1, 2):
            raise DataError(
                f"{name}s must have one row for each of the {len(frame)} rows of X; received the "
                f"shape {array.shape}"
            )
        array = array[:, None] if array.ndim == 1 else array
        several = array.shape[1] > 1
        held = pd.DataFrame(
            array, columns=[f"{name}_{i}" if several else name for i in range(array.shape[1])]
        )
    if len(held) != len(frame):
        raise DataError(
            f"{name}s must have one row for each of the {len(frame)} rows of X; received "
            f"{len(held)}"
        )
    taken = set(frame.columns)
    names = []
    for own in map(str, held.columns):
        # A comma separates targets.
        own = own.replace(",", "_")
        while own in taken:
            own += "_"
        taken.add(own)
        names.append(own)
    return plain_table(held.set_axis(names, axis=1), f"the {name}").frame
