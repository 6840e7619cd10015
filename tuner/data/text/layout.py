"""How the lines of a text table are laid out: comments, separator, names."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.data.sources.base import Reading
from tuner.data.text.cells import has_decimal_comma, is_missing, is_number
from tuner.errors import DataError
from tuner.text import counted, listed, quoted

#: By preference: text seldom holds the same number of the first ones in every line.
SEPARATORS = ("\t", ";", "|", ",", " ")
_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "spaces"}
#: Lines that are looked at.
_LINES = 400
_INDEX = "row names"


@dataclass(frozen=True)
class Layout:
    """Of the lines of a table.

    Attributes:
        sep: what separates values; a space: any number of spaces and tabs.
        comment: what begins a line that is no row; None: nothing does.
        skip: lines in front of the first row.
        names: of the columns, as many as a row has values.
        keep: of these columns those that are the table's: trailing empty ones are not.
        cells: of the first rows, for who looks at values.
        remarks: what was guessed, one sentence each.
    """

    sep: str
    comment: str | None
    skip: int
    names: tuple[str, ...]
    keep: tuple[int, ...]
    cells: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()


def find_layout(text: str, reading: Reading, source: str) -> Layout:
    """The layout of the lines of `text`, which may end within a line.

    Raises:
        DataError: no row, lines of names and rows that do not fit, names twice, a separator of
            more than one character.
    """
    lines = text.splitlines()[: _LINES + 20]
    skip, sep = 0, reading.sep
    while skip < len(lines) and not lines[skip].strip():
        skip += 1
    if skip < len(lines) and lines[skip].lower().startswith("sep=") and len(lines[skip]) == 5:
        sep, skip = sep or lines[skip][4], skip + 1
    comment = None
    first = lines[skip] if skip < len(lines) else ""
    if first.startswith(("#", "%", "//")):
        comment = first[:2] if first.startswith("//") else first[0]
    kept = [line for line in lines[skip:] if line.strip() and not _is_comment(line, comment)]
    if comment is not None and not kept:
        raise DataError(f"a table needs rows; every line of {source} begins with {comment}")
    if not kept:
        raise DataError(f"a table needs a line of column names and rows; {source} is empty")
    longest = max(kept, key=len)
    if len(longest) > csv.field_size_limit():
        raise DataError(
            f"a line of a table may have {csv.field_size_limit()} characters; one of {source} has "
            f"more, {quoted(longest)}"
        )
    sep = _given_separator(sep) if sep is not None else _separator(kept)
    rows = [tuple(row) for row in _split(kept, sep)]
    remarks = []
    if sep not in ",\t" and reading.sep is None:
        remarks.append(f"values are separated by {_NAMES.get(sep, quoted(sep))} (--sep)")
    header = _has_header(rows) if reading.header is None else reading.header
    if not header and reading.header is None:
        remarks.append(
            f"the first line names no columns, so they are called 1 to {len(rows[0])} (--header "
            "if it does)"
        )
    layout = Layout(sep, comment, 0, (), (), tuple(rows[header:]), tuple(remarks))
    if not layout.cells:
        raise DataError(
            f"a table needs rows; {source} has {counted(len(rows[0]), 'column name')} and no row"
        )
    named = _with_names(layout, rows[0] if header else None, source)
    return replace(named, skip=_lines_before(lines, skip, comment, header))


def _lines_before(lines: Sequence[str], skip: int, comment: str | None, header: bool) -> int:
    """Lines in front of the first row: what stands above the names, and the names."""
    if not header:
        return skip
    while not lines[skip].strip() or _is_comment(lines[skip], comment):
        skip += 1
    return skip + 1


def _is_comment(line: str, comment: str | None) -> bool:
    return comment is not None and line.startswith(comment)


def _given_separator(sep: str) -> str:
    sep = {"\\t": "\t", "tab": "\t", "space": " ", r"\s+": " "}.get(sep, sep)
    if len(sep) != 1 or sep in '"\r\n':
        raise DataError(
            f"--sep takes one character (tab and space are names); received {quoted(sep)}"
        )
    return sep


def _separator(lines: Sequence[str]) -> str:
    """The one that gives all lines the same number of values; else the most lines, or values."""

    def rank(sep: str) -> tuple[bool, float, int]:
        sizes = Counter(len(row) for row in _split(lines, sep))
        size, times = sizes.most_common(1)[0]
        share = times / len(lines)
        return size > 1 and share > 0.9, round(share, 1) if size > 1 else 0.0, 0

    return max(SEPARATORS, key=rank)  # of equal ones the first


def _split(lines: Sequence[str], sep: str) -> list[list[str]]:
    if sep == " ":
        return [next(csv.reader([" ".join(line.split())], delimiter=" ")) for line in lines]
    return [row for row in csv.reader(lines, delimiter=sep, skipinitialspace=True) if row]


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names the columns.

    Text above numbers is a name; a number above numbers is a value, and so is text that comes
    again below. Numbers that count (0, 1, 2 as pandas names columns, years) are names.
    """
    first, below = [cell.strip() for cell in rows[0]], rows[1:]
    digits = [int(cell) for cell in first if cell.isdigit()]
    counting = bool(digits) and digits == list(range(digits[0], digits[0] + len(digits)))
    if len(digits) == len(first):
        return counting and len(first) > 1
    votes = 0
    for number, cell in enumerate(first):
        column = [row[number].strip() for row in below if len(row) > number]
        values = [value for value in column if not is_missing(value)]
        numeric = sum(map(_numeric, values)) > 0.9 * len(values) if values else False
        if _numeric(cell):
            votes -= numeric and not (counting and cell.isdigit())
        elif numeric:
            votes += 2
        elif cell in values:
            votes -= 2
    if votes:
        return votes > 0
    return not any(map(_numeric, first))


def _numeric(text: str) -> bool:
    return is_number(text) or has_decimal_comma(text)


def _with_names(layout: Layout, header: Sequence[str] | None, source: str) -> Layout:
    """`layout` with a name for every value of a row."""
    size = Counter(len(row) for row in layout.cells).most_common(1)[0][0]
    if header is None:
        names = [str(number) for number in range(1, size + 1)]
    else:
        names = [cell.strip().strip("\ufeff") for cell in header]
        while len(names) > size and not names[-1]:
            names.pop()
    rows = [row for row in layout.cells if len(row) == size]
    remarks = list(layout.remarks)
    if len(names) == size - 1:
        if all(not row[-1].strip() for row in rows):
            names.append("")
        elif not any(is_number(row[0]) for row in rows) and len({r[0] for r in rows}) == len(rows):
            names.insert(0, _INDEX)
            remarks.append(f"the first value of each line has no name; it is called {_INDEX}")
    if len(names) != size:
        raise DataError(
            f"every line must have as many values as there are names; {source} names "
            f"{counted(len(names), 'column')} and its lines have {counted(size, 'value')}, such as "
            f"{quoted(layout.sep.join(rows[0]))}. Name every column, or say what separates values "
            "by --sep"
        )
    empty = [i for i, name in enumerate(names) if not name]
    gone = {i for i in empty if all(not row[i].strip() for row in rows)}
    if 0 in empty and [row[0].strip() for row in rows] == [str(i) for i in range(len(rows))]:
        gone.add(0)  # the index that pandas writes
    keep = tuple(i for i in range(size) if i not in gone)
    names = [name or str(number) for number, name in enumerate(names, start=1)]
    twice = [name for name, times in Counter(names[i] for i in keep).items() if times > 1]
    if twice:
        raise DataError(
            f"the columns of a table must have different names; {source} has "
            f"{listed(list(map(quoted, twice)))} more than once"
        )
    return replace(layout, names=tuple(names), keep=keep, remarks=tuple(remarks))
