"""Tables whose columns stand one below the other, parted by nothing but spaces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tuner.data.text.cells import is_missing, is_number
from tuner.errors import DataError
from tuner.text import quoted

#: Fewer lines stand one below the other by chance.
_ENOUGH = 5


def fixed_columns(lines: Sequence[str]) -> tuple[slice, ...] | None:
    """Where columns stand if text in them holds spaces, so that lines have different numbers of
    words; None if they do not stand one below the other, or none of them holds numbers.

    A column begins where some line has a sign and none has one in front of it; one without a word
    in the first line belongs to the column before.
    """
    if len(lines) < _ENOUGH or len({len(line.split()) for line in lines[1:]}) == 1:
        return None
    if any("\t" in line for line in lines):
        return None
    taken = [any(line[i : i + 1].strip() for line in lines) for i in range(max(map(len, lines)))]
    starts = []
    for filled, group in groupby(enumerate(taken), lambda own: own[1]):
        places = [place for place, _ in group]
        if filled and lines[0][places[0] : places[-1] + 1].strip():
            starts.append(places[0])
    ends = [*starts[1:], None]
    columns = tuple(slice(start, end) for start, end in zip(starts, ends, strict=True))
    rows = [cut(line, columns) for line in lines[1:]]
    numeric = any(
        all(is_number(c) or is_missing(c) for c in own) for own in zip(*rows, strict=True)
    )
    return columns if len(columns) > 1 and numeric else None


def cut(line: str, columns: Sequence[slice]) -> list[str]:
    return [line[own].strip() for own in columns]


def cut_lines(text: str, columns: Sequence[slice], source: str) -> str:
    """All lines of `text` with tabs between their columns.

    Raises:
        DataError: a line with a sign where no column of the first lines has one.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        for own in columns[1:]:
            if line[own.start - 1 : own.start].strip():
                raise DataError(
                    f"columns that spaces part must stand one below the other; line {number} of "
                    f"{source} has something between two of them: {quoted(line)}. Save the table "
                    "with a separator"
                )
    return "\n".join("\t".join(cut(line, columns)) for line in lines)
