"""Columns of a table that are doubtful as features: they give the target away, are held twice,
hardly vary, hold values far beyond the rest, or count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.column import CategoryColumn, NumberColumn
from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.infer import ColumnFinding, named_as_identifier
from tuner.data.dataset import Task
from tuner.data.odd_values import far_values, stand_in
from tuner.data.sums import summands
from tuner.text import listed, shell_quoted, value_text

#: One number a row `(rows,)`.
Values = NDArray[Any]

#: Fewer rows say nothing.
_ENOUGH = 20
#: Rows by which columns are told apart before all rows are looked at.
_SAMPLE = 10_000
#: A level of so many rows on average has not one class by chance.
_ROWS_A_LEVEL = 5
#: In so many rows no number separates the classes by chance.
_MANY = 200
#: In a first column without a name, whole numbers of which more than this share differ name rows.
_NEARLY_ALL = 0.9
#: Of ranks or values: a feature that goes so with a quantity is the quantity.
_SAME = 0.999
#: A column whose commonest value has a larger share hardly varies.
_CONSTANT = 0.99
_SHOWN = 6


class _Warning(NamedTuple):
    """`text` for the column, `kind` a key of `_REMARKS`."""

    kind: str
    text: str


#: One sentence a kind: the columns, then what helps (COLUMN: the first of them).
_REMARKS = {
    "leak": "what may give the target away: {}; --drop COLUMN leaves one out",
    "gap": "values that may stand for gaps: {}; --na VALUE takes one for a gap",
    "far": "values a thousand times beyond the rest, as if they had lost their decimal points: {}; "
    "mend the file if they are wrong",
    "twice": "columns held twice: {}; --drop COLUMN leaves one out",
    "constant": "columns that hardly vary: {}; --drop COLUMN leaves one out",
    "identifier": "identifiers, perhaps, and yet features: {}; --drop COLUMN leaves one out, "
    "--group COLUMN keeps the rows of one together",
    "counter": "columns that rise from row to row: {}; --drop COLUMN leaves out one that only "
    "counts the rows",
}


def with_warnings(
    findings: tuple[ColumnFinding, ...],
    encoding: TableEncoding,
    x: NDArray[Any],
    y: NDArray[Any],
    task: Task,
) -> tuple[tuple[ColumnFinding, ...], tuple[str, ...]]:
    """The findings with what is doubtful about their columns, and a sentence for each kind.

    Args:
        x: `(rows, encoding.width)`, as the encoding holds rows.
        y: as in `Dataset`.
    """
    if len(x) < _ENOUGH:
        return findings, ()
    warned: dict[str, list[_Warning]] = {}
    for name, warning in _warnings(encoding, x, y, task):
        warned.setdefault(name, []).append(warning)
    told = tuple(
        replace(own, warnings=tuple(warning.text for warning in warned.get(own.name, ())))
        for own in findings
    )
    remarks = []
    for kind, sentence in _REMARKS.items():
        own = [
            (name, warning.text)
            for name, warnings in warned.items()
            for warning in warnings
            if warning.kind == kind
        ]
        if own:
            remarks.append(
                sentence.replace("COLUMN", shell_quoted(own[0][0])).format(
                    listed([f"{name} ({text})" for name, text in own], _SHOWN)
                )
            )
    return told, tuple(remarks)


def _warnings(
    encoding: TableEncoding, x: NDArray[Any], y: NDArray[Any], task: Task
) -> Iterator[tuple[str, _Warning]]:
    sample = np.unique(np.linspace(0, len(x) - 1, _SAMPLE).astype(np.intp))
    targets, sampled = y.reshape(len(y), -1), x[sample]
    seen: dict[bytes, list[int]] = {}
    for number, (column, place) in enumerate(zip(encoding.columns, encoding.slices, strict=True)):
        few = _values(sampled, column, place)
        leaks = False
        for j in range(targets.shape[1]):
            if _gives_away(few, targets[sample, j], task) and (
                text := _gives_away(_values(x, column, place), targets[:, j], task)
            ):
                yield column.name, _Warning("leak", text)
                leaks = True
                break
        codes = _codes(few)
        kinds = int(codes.max()) + 1
        # All values different, only the same values are the same; all one, a sample tells nothing.
        alike = seen.setdefault((few if kinds == len(few) else codes).tobytes(), [])
        for other in alike if kinds > 1 else ():
            if text := _held_twice(encoding, x, number, other):
                yield column.name, _Warning("twice", text)
                break
        alike.append(number)
        if np.bincount(codes).max() > _CONSTANT * len(few):
            yield column.name, _Warning("constant", _share(few, column))
        if isinstance(column, NumberColumn) and not leaks:
            yield from _of_number(column, few, x[:, place.start])
    if task == "regression" and targets.shape[1] == 1:
        yield from _of_sum(encoding, sampled, targets[sample, 0])


def _of_sum(encoding: TableEncoding, few: Values, y: Values) -> Iterator[tuple[str, _Warning]]:
    pairs = zip(encoding.columns, encoding.slices, strict=True)
    numbers = [(c.name, place.start) for c, place in pairs if isinstance(c, NumberColumn)]
    places = [place for _, place in numbers]
    names = [name for name, _ in numbers]
    parts = summands(names, few[:, places].astype(np.float64), y.astype(np.float64))
    for name in parts:
        others = listed([other for other in parts if other != name])
        yield name, _Warning("leak", f"with {others} it makes up the target")


def _of_number(column: NumberColumn, few: Values, values: Values) -> Iterator[tuple[str, _Warning]]:
    if stands_in := stand_in(column, few, values):
        yield column.name, _Warning("gap", stands_in)
    elif far := far_values(column, few, values):
        yield column.name, _Warning("far", far)
    kinds = len(np.unique(few))
    unnamed = column.name == "1" and _counts_things(column, few)
    if named_as_identifier(column.name) or (unnamed and kinds > _NEARLY_ALL * len(few)):
        yield column.name, _Warning("identifier", f"{kinds} different ones in {len(few)} rows")
    elif (np.diff(few) > 0).all() and (np.diff(values) > 0).all():
        yield column.name, _Warning("counter", "every value is above the one before")


def _counts_things(column: NumberColumn, few: Values) -> bool:
    """Whether all are whole numbers far above the number of rows, as numbers of things are."""
    own = few * column.unit + column.offset
    return bool((own == np.floor(own)).all() and own.min() > _ROWS_A_LEVEL * len(few))


def _values(x: NDArray[Any], column: object, place: slice) -> Values:
    """One number a row: the value (NaN at a gap), or the level's number."""
    if isinstance(column, CategoryColumn):
        return x[:, place].argmax(axis=1)
    return x[:, place.start].astype(np.float64)


def _codes(values: Values) -> NDArray[np.intp]:
    """Values numbered in the order of their first rows: alike for columns that differ only in how
    they spell what they hold."""
    _, first, codes = np.unique(values, return_index=True, return_inverse=True)
    order = np.empty(len(first), np.intp)
    order[np.argsort(first)] = np.arange(len(first))
    return order[codes]


def _gives_away(values: Values, y: Values, task: Task) -> str:
    """What tells the target `y` by this column alone; "" if nothing does."""
    if task == "regression":
        present = ~np.isnan(values)
        values, y = values[present], y[present].astype(np.float64)
        if 2 * len(values) < len(present) or len(values) < _ENOUGH:
            return ""
    if len(values) == 0 or (y == y[0]).all():
        return ""
    levels, codes = np.unique(values, return_inverse=True)
    if len(levels) < 2:
        return ""
    of_level = np.zeros(len(levels), y.dtype)
    of_level[codes] = y
    one_each = bool((of_level[codes] == y).all())
    if one_each and _ROWS_A_LEVEL * len(levels) <= len(values):
        return "each of its values goes with one value of the target"
    if task == "regression":
        return _goes_with(values, y)
    ranges = 1 + int((np.diff(of_level) != 0).sum())
    if one_each and len(values) >= _MANY and ranges == len(np.unique(y)):
        return "its values alone tell the classes apart"
    return ""


def _goes_with(values: Values, y: Values) -> str:
    order = np.lexsort((y, values))
    rising = np.diff(y[order])
    if (rising >= 0).all() or (np.diff(y[np.lexsort((-y, values))]) <= 0).all():
        return "the target rises or falls with it"
    with np.errstate(invalid="ignore", divide="ignore"):
        straight = abs(float(np.corrcoef(values, y)[0, 1]))
    if straight > _SAME:
        return f"its correlation with the target is {straight:.5g}"
    ranks = np.corrcoef(values.argsort().argsort(), y.argsort().argsort())[0, 1]
    return f"its rank correlation with the target is {ranks:.5g}" if abs(ranks) > _SAME else ""


def _held_twice(encoding: TableEncoding, x: NDArray[Any], number: int, other: int) -> str:
    """How the columns are alike, of which a sample of rows is; "" if they are not."""
    one, two = (_values(x, encoding.columns[own], encoding.slices[own]) for own in (number, other))
    name = encoding.columns[other].name
    first, second = encoding.columns[number], encoding.columns[other]
    if (
        isinstance(first, NumberColumn)
        and isinstance(second, NumberColumn)
        and np.array_equal(one, two, equal_nan=True)
    ):
        same = (first.offset, first.unit) == (second.offset, second.unit)
        return f"the same as {name}" if same else f"{name} but for its unit or a constant"
    codes = _codes(one)
    if 2 * (codes.max() + 1) > len(one) or not np.array_equal(codes, _codes(two)):
        return ""
    return f"{name} in other words"


def _share(values: Values, column: object) -> str:
    found, counts = np.unique(values, return_counts=True)
    most = int(counts.argmax())
    if isinstance(column, CategoryColumn):
        value = column.levels[int(found[most])] or "missing"
    elif isinstance(column, NumberColumn):
        value = value_text(float(found[most]) * column.unit + column.offset)
    else:
        value = "one date"
    return f"{value} in {100 * counts[most] / len(values):.4g} % of the rows"
