"""Which of a text table's first lines name the columns."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.data.text.cells import has_decimal_comma, is_count, is_missing, is_number


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names the columns.

    Text above numbers is a name; a number above numbers is a value, and so is text that comes
    again below. Numbers that count (0, 1, 2 as pandas names columns, years) are names.
    """
    first, below = [cell.strip() for cell in rows[0]], rows[1:]
    digits = [int(cell) for cell in first if is_count(cell)]
    counting = bool(digits) and digits == list(range(digits[0], digits[0] + len(digits)))
    if len(digits) == len(first):
        return counting and len(first) > 1
    votes = 0
    for number, cell in enumerate(first):
        column = [row[number].strip() for row in below if len(row) > number]
        values = [value for value in column if not is_missing(value)]
        numeric = sum(map(_numeric, values)) > 0.9 * len(values) if values else False
        if _numeric(cell):
            votes -= numeric and not (counting and is_count(cell))
        elif numeric:
            votes += 2
        elif cell in values:
            votes -= 2
    if votes:
        return votes > 0
    years = counting and len(digits) > 1 and (not first[0] or 1000 <= digits[0] < 3000)
    return years or not any(map(_numeric, first))


def is_second_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the line under the names holds units or names too: text, and that in several columns
    of which all other values are numbers."""
    if len(rows) < 5 or any(map(_numeric, rows[1])):
        return False
    numeric = 0
    for number, cell in enumerate(rows[1]):
        values = [row[number] for row in rows[2:] if len(row) > number]
        values = [value for value in values if not is_missing(value)]
        if values and all(map(_numeric, values)):
            numeric += not is_missing(cell)
    return numeric > 1


def not_told_apart(rows: Sequence[Sequence[str]]) -> bool:
    """Whether columns need both lines of names: a name comes twice, or only the second has one."""
    first = [cell.strip() for cell in rows[0]]
    given = [cell for cell in first if cell]
    pairs = zip(first, rows[1], strict=False)
    return len(set(given)) < len(given) or any(cell.strip() and not own for own, cell in pairs)


def _numeric(text: str) -> bool:
    return is_number(text) or has_decimal_comma(text)
