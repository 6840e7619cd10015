"""Rows set aside for the test, and fewer rows than there are: both seeded, by scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Task
from tuner.errors import DataError

Rows = NDArray[np.intp]


def hold_out(
    y: NDArray[Any],
    groups: NDArray[np.int32] | None,
    *,
    task: Task,
    share: float,
    seed: int,
    source: str,
) -> tuple[Rows, Rows]:
    """Numbers of the search rows and of the test rows, each in ascending order.

    Whole groups where there are groups (GroupShuffleSplit: `share` is then a share of the
    groups), stratified by class for binary and multiclass (StratifiedShuffleSplit), else at
    random (ShuffleSplit).

    Raises:
        DataError: a share outside 0..1, too few rows, groups or rows of a class, or a class
            whose rows would all be test rows.
    """
    from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit

    if not 0 < share < 1:
        raise DataError(f"--test-share must be above 0 and below 1; received {share:g}")
    stratified = task in ("binary", "multiclass")
    kind = (
        GroupShuffleSplit
        if groups is not None
        else StratifiedShuffleSplit
        if stratified
        else ShuffleSplit
    )
    splitter = kind(n_splits=1, test_size=share, random_state=seed)
    try:
        search, test = next(splitter.split(np.zeros(len(y)), y, groups))
    except ValueError as error:
        raise DataError(
            f"--test-share {share:g} of {source} is not possible: {error} (rows: {len(y)})"
        ) from error
    if stratified:
        lost = np.setdiff1d(y[test], y[search])
        if len(lost):
            raise DataError(
                f"every class needs search rows; --test-share {share:g} of {source} by group puts "
                f"all rows of {len(lost)} classes into the test. Available: another --seed, a "
                f"smaller share"
            )
    return np.sort(search), np.sort(test)


def choose(y: NDArray[Any], *, task: Task, limit: int, seed: int, source: str) -> Rows:
    """Numbers of `limit` rows in ascending order; all rows where there are no more than that.

    A seeded draw without replacement, for binary and multiclass in the classes' proportions
    (StratifiedShuffleSplit), so that sorted files lose no class.

    Raises:
        DataError: a limit below 2 or below what gives every class a row.
    """
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    if limit < 2:
        raise DataError(f"--limit must be at least 2 rows; received {limit}")
    if limit >= len(y):
        return np.arange(len(y))
    stratified = task in ("binary", "multiclass")
    kind = StratifiedShuffleSplit if stratified else ShuffleSplit
    splitter = kind(n_splits=1, train_size=limit, test_size=None, random_state=seed)
    if stratified and len(y) - limit < len(np.unique(y)):
        # StratifiedShuffleSplit wants a row of each class on the other side too. So few rows
        # are dropped that a plain draw is as good.
        splitter = ShuffleSplit(n_splits=1, train_size=limit, test_size=None, random_state=seed)
    try:
        chosen, _ = next(splitter.split(np.zeros(len(y)), y))
    except ValueError as error:
        raise DataError(f"--limit {limit} of {source} is not possible: {error}") from error
    if stratified:
        lost = np.setdiff1d(y, y[chosen])
        if len(lost):
            raise DataError(
                f"--limit must leave every class a row; {limit} of the {len(y)} rows of {source} "
                f"leave {len(lost)} of {len(np.unique(y))} classes without one"
            )
    return np.sort(chosen)
