"""Rows set aside for the test, and fewer rows than there are: both seeded, by scikit-learn."""

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import CLASSES, Task
from tuner.errors import DataError
from tuner.text import said

Rows = NDArray[np.intp]


def shuffle_split(classes: bool, groups: bool, **settings: Any) -> Any:
    """scikit-learn's splitter into two parts, once: GroupShuffleSplit, StratifiedShuffleSplit or
    ShuffleSplit, as the rows have groups, classes or neither."""
    from sklearn import model_selection as sk

    plain = sk.StratifiedShuffleSplit if classes else sk.ShuffleSplit
    return (sk.GroupShuffleSplit if groups else plain)(n_splits=1, **settings)


def hold_out(
    y: NDArray[Any],
    groups: NDArray[np.int32] | None,
    *,
    task: Task,
    share: float,
    seed: int,
    source: str,
    in_order: bool = False,
) -> tuple[Rows, Rows]:
    """Numbers of the search rows and of the test rows, each in ascending order.

    `in_order`: the last rows. Else whole groups if there are groups (`share` is then a share of
    the groups), stratified by class for binary and multiclass, else at random.

    Raises:
        DataError: a share outside 0..1, too few rows, groups or rows of a class, or a class
            whose rows would all be test rows.
    """
    if not 0 < share < 1:
        raise DataError(f"--test-share must be above 0 and below 1; received {share:g}")
    stratified = task in CLASSES
    if in_order:
        search, test = np.split(np.arange(len(y)), [len(y) - ceil(share * len(y))])
    else:
        splitter = shuffle_split(stratified, groups is not None, test_size=share, random_state=seed)
        search, test = _parts(splitter, y, groups, f"--test-share {share:g} of {source}")
    if stratified and (lost := len(np.setdiff1d(y[test], y[search]))):
        raise DataError(
            f"every class needs search rows; --test-share {share:g} of {source} by "
            f"{'time' if in_order else 'group'} puts all rows of {lost} classes into the test. "
            "Available: another --seed, a smaller share"
        )
    return search, test


def choose(y: NDArray[Any], *, task: Task, limit: int, seed: int, source: str) -> Rows:
    """Numbers of `limit` rows in ascending order; all rows if there are no more than that.

    A seeded draw without replacement, for binary and multiclass in the classes' proportions
    (StratifiedShuffleSplit), so that sorted files lose no class.

    Raises:
        DataError: a limit below 2 or below what gives every class a row.
    """
    if limit < 2:
        raise DataError(f"--limit must be at least 2 rows; received {limit}")
    if limit >= len(y):
        return np.arange(len(y))
    stratified = task in CLASSES
    # StratifiedShuffleSplit wants a row of each class on the other side too; if too few rows are
    # dropped for that, a plain draw is as good.
    enough = stratified and len(y) - limit >= len(np.unique(y))
    splitter = shuffle_split(enough, False, train_size=limit, random_state=seed)
    chosen, _ = _parts(splitter, y, None, f"--limit {limit} of {source}")
    if stratified and (lost := len(np.setdiff1d(y, y[chosen]))):
        raise DataError(
            f"--limit must leave every class a row; {limit} of the {len(y)} rows of {source} "
            f"leave {lost} of {len(np.unique(y))} classes without one"
        )
    return chosen


def _parts(splitter: Any, y: NDArray[Any], groups: Any, what: str) -> tuple[Rows, Rows]:
    try:
        first, second = next(splitter.split(np.zeros(len(y)), y, groups))
    except ValueError as error:
        raise DataError(f"{what} is not possible: {said(error)} (rows: {len(y)})") from error
    return np.sort(first), np.sort(second)
