"""A text table as a frame: its bytes decoded, its lines laid out, its columns typed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from tuner.data.sources.base import Reading
from tuner.data.sources.choice import named_column
from tuner.data.sources.table import Table
from tuner.data.text.cells import MISSING, is_code, is_number
from tuner.data.text.decoding import decoded
from tuner.data.text.fixed_width import cut_lines
from tuner.data.text.layout import Layout, find_layout
from tuner.data.text.numbers import check_decimal
from tuner.data.text.values import Typed, typed
from tuner.errors import DataError
from tuner.text import counted, listed, quoted

#: Bytes by which a table's layout is found.
_SAMPLE = 1 << 18
#: Different texts of a column that are held once each.
_ALL = 2**31 - 1
_SHOWN = 8
_INFINITE = ("inf", "-inf")


def read_text_table(data: bytes, reading: Reading, source: str) -> Table:
    """The table in `data`.

    pyarrow reads the lines and what are numbers and ISO dates by themselves; all other columns are
    looked at value by value (`typed`).

    Raises:
        DataError: no text, no rows, lines of another length (the first ones are listed), names
            that are no names, columns that are neither numbers nor text: all that is wrong.
    """
    import pandas as pd

    check_decimal(reading)
    data, remark = decoded(data, reading.encoding, source)
    sample = data[:_SAMPLE].decode("utf-8", "ignore")
    layout = find_layout(sample, reading, source)
    if layout.widths is not None:
        data = cut_lines(data.decode(), layout.widths, source).encode()
    elif layout.sep == " ":
        data = b"\n".join(b" ".join(line.split()) for line in data.splitlines())
    if layout.comment is not None:
        data = _without_comments(data, layout)
    kinds = {named_column(name, layout.names) or name: kind for name, kind in reading.kinds.items()}
    reading = replace(reading, kinds=kinds)
    gaps = [float(own) for own in reading.na if is_number(own) or own.lower() in _INFINITE]
    columns, footer = _parsed(data, layout, reading, source)
    remarks = [said for said in (remark, *layout.remarks, footer) if said]

    def plain(number: int) -> Typed:
        name, column = layout.names[number], columns[number]
        if _is_text(column):
            return typed(name, column, reading, kinds.get(name))
        values = _plain(column)
        return Typed(np.where(np.isin(values, gaps), np.nan, values) if gaps else values)

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(plain, layout.keep))
    remarks += _together([layout.names[number] for number in layout.keep], found)
    faults = [own.fault for own in found if own.fault]
    if faults:
        shown = faults[0] if len(faults) == 1 else "\n  ".join(["", *faults[:_SHOWN]])
        raise DataError(f"a column is numbers or text; in {source} {shown}")
    names = [layout.names[number] for number in layout.keep]
    frame = dict(zip(names, (own.values for own in found), strict=True))
    return Table(pd.DataFrame(frame, copy=False), remarks=tuple(remarks))


def _together(names: Sequence[str], found: Sequence[Typed]) -> list[str]:
    """What was taken for granted of the columns, each sentence once, with its first example."""
    columns: dict[str, list[str]] = {}
    examples: dict[str, str] = {}
    for name, own in zip(names, found, strict=True):
        for sentence, example in own.remarks:
            columns.setdefault(sentence, []).append(name)
            examples.setdefault(sentence, example)
    return [
        f"{listed(own, _SHOWN)}: {sentence.format(examples[sentence])}"
        for sentence, own in columns.items()
    ]


def _parsed(
    data: bytes, layout: Layout, reading: Reading, source: str, *, threads: bool = True
) -> tuple[list[Any], str | None]:
    """pyarrow's columns: numbers and dates where all values are some, else text, each different one
    once; and what stands under them. Only without `threads` does it know the numbers of lines."""
    import pyarrow as pa
    from pyarrow import csv

    size = len(layout.names)
    bad: list[Any] = []

    def note(row: Any) -> str:
        bad.append(row)
        return "skip"

    numbers = [str(number) for number in range(size)]
    text = pa.dictionary(pa.int32(), pa.string())
    kept_text = dict.fromkeys(map(str, _kept_text(layout, reading)), text)
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(
                column_names=numbers, skip_rows=layout.skip, use_threads=threads
            ),
            parse_options=csv.ParseOptions(
                delimiter=layout.sep, invalid_row_handler=note, newlines_in_values=b'"' in data
            ),
            convert_options=csv.ConvertOptions(
                null_values=[*MISSING, *reading.na],
                strings_can_be_null=True,
                true_values=[],
                false_values=[],
                column_types=kept_text,
                auto_dict_encode=True,
                auto_dict_max_cardinality=_ALL,
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{source} cannot be read as a text table: {error}") from error
    footer = _footer(data, bad)
    if bad and footer is None:
        if threads:
            _parsed(data, layout, reading, source, threads=False)
        raise DataError(_ragged(bad, size, source))
    if not len(table):
        raise DataError(
            f"a table needs rows; the lines of {source} have other numbers of values than its "
            f"{counted(size, 'column')}"
        )
    times = map(pa.types.is_time, table.schema.types)
    columns = [
        column.cast(pa.string()) if time else column
        for time, column in zip(times, table.columns, strict=True)
    ]
    return columns, footer


def _footer(data: bytes, bad: Sequence[Any]) -> str | None:
    """A sentence on lines of one value that stand under the last row; None if `bad` are others."""
    if not bad:
        return None
    tail = data.rstrip()
    for row in reversed(bad):
        text = row.text.strip().encode()
        if row.actual_columns > 1 or not tail.endswith(text):
            return None
        tail = tail[: len(tail) - len(text)].rstrip()
    return f"left out under the table: {quoted(bad[0].text.strip(), 60)}"


def _kept_text(layout: Layout, reading: Reading) -> list[int]:
    """Columns that pyarrow must leave as text: a person said so, or they hold codes such as 007."""
    given = [i for i, name in enumerate(layout.names) if reading.kinds.get(name) == "category"]
    codes = [
        i
        for i in range(len(layout.names))
        if any(is_code(row[i]) for row in layout.cells if len(row) > i)
    ]
    return sorted({*given, *codes})


def _is_text(column: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_string(column.type) or pa.types.is_dictionary(column.type)


def _plain(column: Any) -> Any:
    """A column of numbers or dates as pandas has it."""
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"))
    values = column.to_pandas()
    return values.dt.tz_localize(None) if getattr(values.dtype, "tz", None) else values


def _without_comments(data: bytes, layout: Layout) -> bytes:
    assert layout.comment is not None
    mark = layout.comment.encode()
    lines = data.splitlines()
    rows = [line for line in lines[layout.skip :] if not line.startswith(mark)]
    return b"\n".join([*lines[: layout.skip], *rows])


def _ragged(bad: Sequence[Any], size: int, source: str) -> str:
    shown = [
        f"{counted(row.actual_columns, 'value')} in line {row.number}, {quoted(row.text, 60)}"
        for row in bad[:3]
    ]
    return (
        f"every line must have as many values as there are columns, {size}; {source} has "
        f"{counted(len(bad), 'line')} of another number: {listed(shown)}. Mend the file, quote "
        "values that hold the separator, or name another by --sep"
    )
