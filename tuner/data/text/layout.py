"""How the lines of a text table are laid out: comments, separator, names."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.data.sources.base import Reading
from tuner.data.sources.choice import refuse_twice
from tuner.data.text.cells import is_missing, is_number
from tuner.data.text.fixed_width import cut, fixed_columns
from tuner.data.text.foreign import check_is_table
from tuner.data.text.header import has_header, is_second_header, not_told_apart
from tuner.errors import DataError
from tuner.text import counted, quoted

#: By preference: text seldom holds the same number of the first ones in every line.
SEPARATORS = ("\t", ";", "|", ",", " ")
_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "spaces"}
#: Lines that are looked at.
_LINES = 400
#: More lines above a table than that are something else.
_TITLES = 20
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
        widths: where each column stands in a line, if that is what parts them, not `sep`.
    """

    sep: str
    comment: str | None
    skip: int
    names: tuple[str, ...]
    keep: tuple[int, ...]
    cells: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()
    widths: tuple[slice, ...] | None = None


def find_layout(text: str, reading: Reading, source: str) -> Layout:
    """The layout of the lines of `text`, which may end within a line.

    Raises:
        DataError: no row, no table (JSON, a web page), two lines of names, lines of names and
            rows that do not fit, names twice, a separator of more than one character.
    """
    lines = re.split("\r\n|\r|\n", text)[: _LINES + 20]
    check_is_table(text, source)
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
    widths = fixed_columns(kept) if sep == " " and reading.sep is None else None
    if widths is not None:
        sep, kept = "\t", ["\t".join(cut(line, widths)) for line in kept]
    rows = [tuple(row) for row in _split(kept, sep)]
    remarks = []
    if widths is not None:
        remarks.append("columns are where no line has anything but spaces (--sep)")
    titles = _titles(rows)
    if titles:
        remarks.append(f"left out above the table: {quoted(_joined(rows[0], sep), 60)}")
        rows = rows[titles:]
    if sep not in ",\t" and reading.sep is None:
        remarks.append(f"values are separated by {_NAMES.get(sep, quoted(sep))} (--sep)")
    header = has_header(rows) if reading.header is None else reading.header
    if not header and reading.header is None:
        remarks.append(
            f"the first line names no columns, so they are called 1 to {len(rows[0])} (--header "
            "if it does)"
        )
    second = header and is_second_header(rows)
    if second:
        said = quoted(_joined(rows[1], sep), 60)
        if not_told_apart(rows):
            raise DataError(
                f"one line names the columns; {source} has a second one, {said}. Keep one line, "
                "with a name of its own for each column"
            )
        remarks.append(f"the line under the names is left out, as units are: {said}")
    body = tuple(rows[header + second :])
    layout = Layout(sep, comment, 0, (), (), body, tuple(remarks), widths)
    if not layout.cells:
        raise DataError(
            f"a table needs rows; {source} has {counted(len(rows[0]), 'column name')} and no row"
        )
    # All values quoted, a first one is as much a value as the others.
    quotes = 2 * len(rows[-1])
    own = all(ln.startswith('"') and ln.count('"') < quotes for ln in kept[titles + 1 :])
    named = _with_names(layout, rows[0] if header else None, source, quoted_first=own)
    return replace(named, skip=_lines_before(lines, skip, comment, titles + header + second))


def _titles(rows: Sequence[Sequence[str]]) -> int:
    """Rows above the table, as spreadsheets export them: of another number of values, or text
    alone, and less than half as many of them as a row usually has."""
    filled = [sum(map(bool, map(str.strip, row))) for row in rows]
    usual = Counter(filled).most_common(1)[0][0]
    size = Counter(map(len, rows)).most_common(1)[0][0]
    for number, (row, own) in enumerate(zip(rows, filled, strict=True)):
        title = len(row) != size or not any(map(is_number, row))
        if 2 * own >= usual or not title or number == len(rows) - 2:
            return number if number < _TITLES else 0
    return 0


def _joined(row: Sequence[str], sep: str) -> str:
    return sep.join(row).rstrip(f"{sep} ")


def _lines_before(lines: Sequence[str], skip: int, comment: str | None, names: int) -> int:
    """Lines in front of the first row: what stands above the lines of names, and those."""
    for _ in range(names):
        while not lines[skip].strip() or _is_comment(lines[skip], comment):
            skip += 1
        skip += 1
    return skip


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

    best = max(SEPARATORS, key=rank)  # of equal ones the first
    return " " if best == "\t" and _is_aligned(lines) else best


def _is_aligned(lines: Sequence[str]) -> bool:
    """Whether tabs only stand among spaces: cut at both, lines have more values, all of them
    numbers or quoted under the names."""
    rows = _split(lines, " ")
    return (
        len({len(row) for row in rows}) == 1
        and len(rows[0]) > len(lines[0].split("\t"))
        and all(
            is_number(cell) or is_missing(cell) or f'"{cell}"' in line
            for row, line in zip(rows[1:], lines[1:], strict=True)
            for cell in row
        )
    )


def _ascii_words(line: str) -> list[str]:
    """As `bytes.split` cuts: a no-break space separates nothing."""
    return re.findall(r"\S+", line, re.ASCII)


def _split(lines: Sequence[str], sep: str) -> list[list[str]]:
    if sep == " ":
        return [next(csv.reader([" ".join(_ascii_words(line))], delimiter=" ")) for line in lines]
    return [row for row in csv.reader(lines, delimiter=sep, skipinitialspace=True) if row]


def _with_names(
    layout: Layout, header: Sequence[str] | None, source: str, *, quoted_first: bool
) -> Layout:
    """`layout` with a name for every value of a row; `quoted_first`: rows begin with a quoted
    value, as R writes the names of rows."""
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
        elif (quoted_first or not any(is_number(row[0]) for row in rows)) and len(
            {row[0] for row in rows}
        ) == len(rows):
            names.insert(0, _INDEX)
            remarks.append(f"the first value of each line has no name; it is called {_INDEX}")
    if len(names) != size:
        raise DataError(
            f"every line must have as many values as there are names; {source} names "
            f"{counted(len(names), 'column')} and its lines have {counted(size, 'value')}, such as "
            f"{quoted(layout.sep.join(rows[0]))}. "
            + (
                "Quote values that hold spaces, or save the table with another separator"
                if layout.sep == " "
                else "Name every column, remove what stands above the names, or say what separates "
                "values by --sep"
            )
        )
    empty = [i for i, name in enumerate(names) if not name]
    gone = {i for i in empty if all(not row[i].strip() for row in rows)}
    if 0 in empty and [row[0].strip() for row in rows] == [str(i) for i in range(len(rows))]:
        gone.add(0)  # the index that pandas writes
    keep = tuple(i for i in range(size) if i not in gone)
    if not keep:
        raise DataError(f"a table needs a column with a name or a value; {source} has none")
    taken = "column " if set(names) & set(map(str, range(1, size + 1))) else ""
    names = [name or f"{taken}{number}" for number, name in enumerate(names, start=1)]
    refuse_twice((names[i] for i in keep), source)
    return replace(layout, names=tuple(names), keep=keep, remarks=tuple(remarks))
