"""`arff:PATH`: Weka's tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.data.sources.base import FileSource, Reading
from tuner.data.sources.choice import refuse_twice
from tuner.data.sources.frames import plain_table
from tuner.data.sources.table import Table, TableSource
from tuner.errors import DataError
from tuner.text import listed, path_text, quoted, said

if TYPE_CHECKING:
    import pandas as pd

_NAME = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{,]+"""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_NAME})(\s.+|\{{.+)", re.IGNORECASE)
_VALUE = re.compile(
    r"""\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,'"\s](?:[^,]*[^,\s])?|)\s*(,|$)"""
)
_ESCAPED = re.compile(r"\\(.)")
#: Of the header; the last ones are KEEL's.
_WITHOUT_MEANING = ("@relation", "@input", "@output")
_NUMBERS = ("numeric", "real", "integer")
#: Java's letters of a date, and Python's.
_LETTERS = (
    ("yyyy", "%Y"), ("yy", "%y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"),
    ("ss", "%S"), ("SSS", "%f"), ("'", ""),
)  # fmt: skip
_DATE = "yyyy-MM-dd'T'HH:mm:ss"


@dataclass(frozen=True)
class _Attribute:
    """`levels` of a nominal one; `date`: the format, as Java writes it; neither: see `number`."""

    name: str
    number: bool = False
    levels: tuple[str, ...] | None = None
    date: str | None = None


class Arff(FileSource, TableSource):
    """A table of Weka, with nominal attributes, text, dates and `?` for gaps; the attribute
    called class is the target, else the last one."""

    name = "arff"
    what = "PATH of an ARFF file of Weka"
    suffixes = (".arff",)
    reading = ("encoding", "na")

    def table(self, path: str, reading: Reading) -> Table:
        """The table: nominal attributes are categories, string text, date dates.

        Raises:
            DataError: no such file, no ARFF, a row that does not fit the attributes.
        """
        import pandas as pd

        file = self.existing(path)
        try:
            text = file.read_text(encoding=reading.encoding or "utf-8-sig")
        except (OSError, ValueError, LookupError, MemoryError) as error:
            raise DataError(
                f"arff: needs UTF-8 text, or --encoding; {path_text(file)}: {said(error)}"
            ) from error
        lines = enumerate(text.splitlines(), start=1)
        attributes = _attributes(lines, file)
        rows = [_row(line, number, attributes, file) for number, line in lines if _is_row(line)]
        gaps = {None, *reading.na}
        names = [own.name for own in attributes]
        refuse_twice(names, path_text(file))
        frame = {}
        for own, values in zip(attributes, zip(*rows, strict=True) if rows else (), strict=False):
            frame[own.name] = _column(own, [None if v in gaps else v for v in values], file)
        target = [name for name in names if name.lower() == "class"] or names[-1:]
        whole = pd.DataFrame(frame, columns=names, copy=False)
        return plain_table(whole, path_text(file), default_target=tuple(target[:1]))


def _attributes(lines: Iterator[tuple[int, str]], file: Path) -> list[_Attribute]:
    """Those of the header; `lines` then stand behind `@data`."""
    found: list[_Attribute] = []
    for number, line in lines:
        if not _is_row(line) or line.lower().startswith(_WITHOUT_MEANING):
            continue
        line = line.strip()
        if line.lower().startswith("@data"):
            if not found:
                break
            return found
        match = _ATTRIBUTE.fullmatch(line)
        if match is None:
            raise DataError(
                "arff: a file begins with @relation, @attribute NAME TYPE and @data; line "
                f"{number} of {path_text(file)} is {quoted(line)}"
            )
        found.append(_attribute(_unquoted(match[1]), match[2].strip(), file))
    raise DataError(
        f"arff: needs lines of @attribute, then @data; {path_text(file)} has "
        f"{len(found)} attributes{' and no @data' if found else ''}"
    )


def _attribute(name: str, kind: str, file: Path) -> _Attribute:
    first, _, rest = kind.partition(" ")
    if kind.startswith("{") and kind.endswith("}"):
        levels = _values(kind[1:-1])
        if levels is not None:
            return _Attribute(name, levels=tuple(str(level) for level in levels))
    if first.partition("[")[0].lower() in _NUMBERS:  # KEEL adds a range: real [0, 1]
        return _Attribute(name, number=True)
    if first.lower() == "string":
        return _Attribute(name)
    if first.lower() == "date":
        return _Attribute(name, date=_unquoted(rest.strip()) or _DATE)
    raise DataError(
        f"arff: an attribute is numeric, real, integer, string, date or {{a, b}}; {name} of "
        f"{path_text(file)} is {quoted(kind)}"
    )


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("%")


def _row(line: str, number: int, attributes: list[_Attribute], file: Path) -> list[str | None]:
    line = line.strip()
    sparse = line.startswith("{")
    values = _sparse(line, attributes) if sparse else _values(line)
    if values is None or len(values) != len(attributes):
        raise DataError(
            f"every row of an ARFF file must have a value for each of the {len(attributes)} "
            f"attributes; line {number} of {path_text(file)} is {quoted(line)}"
        )
    return values


def _sparse(line: str, attributes: list[_Attribute]) -> list[str | None] | None:
    """`{1 X, 3 Y}`: numbers and values; the others are 0, or the first level."""
    values: list[str | None] = [own.levels[0] if own.levels else "0" for own in attributes]
    for part in _VALUE.findall(line[1:-1].strip()):
        place, _, value = part[0].partition(" ")
        if not part[0] and not part[1]:
            continue
        own = _values(value.strip())
        if not place.isdigit() or int(place) >= len(values) or own is None or len(own) != 1:
            return None
        values[int(place)] = own[0]
    return values if line.endswith("}") else None


def _values(line: str) -> list[str | None] | None:
    """The values of a line, None for `?`; None if it is none."""
    if "'" not in line and '"' not in line:
        parts = line.split(",") if "," in line else line.split("\t")
        return [None if (own := part.strip()) == "?" else own for part in parts]
    values: list[str | None] = []
    place = 0
    while match := _VALUE.match(line, place):
        values.append(None if match[1] == "?" else _unquoted(match[1]))
        place = match.end()
        if not match[2]:
            return values
    return None


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return _ESCAPED.sub(r"\1", text[1:-1])
    return text


def _column(own: _Attribute, values: list[Any], file: Path) -> pd.Series:
    import pandas as pd

    try:
        if own.number:
            return pd.Series([np.nan if v is None else float(v) for v in values])
        if own.date is not None:
            spelling = own.date
            for java, python in _LETTERS:
                spelling = spelling.replace(java, python)
            return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), format=spelling))
    except ValueError as error:
        kind = "numbers" if own.number else "dates"
        raise DataError(
            f"arff: attribute {own.name} of {path_text(file)} must hold {kind}: {said(error)}"
        ) from error
    if own.levels is not None:
        strange = sorted({value for value in values if value is not None} - set(own.levels))
        if strange:
            raise DataError(
                f"arff: attribute {own.name} of {path_text(file)} may be "
                f"{listed(list(map(quoted, own.levels)), 8)}; it also is "
                f"{listed(list(map(quoted, strange)), 8)}"
            )
        return pd.Series(values, dtype="category")
    return pd.Series(values, dtype=object)
