"""`xlsx:PATH`: the first sheet of an Excel workbook."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuner.data.sources.base import FileSource, Reading
from tuner.data.sources.frames import seconds_of_day
from tuner.data.sources.table import Table, TableSource
from tuner.data.sources.unpacked import UNREADABLE
from tuner.data.text.read import read_text_table
from tuner.errors import DataError
from tuner.files import too_large
from tuner.text import counted, listed, path_text, quoted, said

if TYPE_CHECKING:
    import pandas as pd

#: Rows among which the first of the table is looked for.
_FIRST = 50


class Xlsx(FileSource, TableSource):
    """The first sheet of an Excel workbook, with the package openpyxl (the extra `excel`)."""

    name = "xlsx"
    what = "PATH of an Excel workbook"
    suffixes = (".xlsx", ".xlsm")
    reading = ("header", "decimal", "na")

    def table(self, path: str, reading: Reading) -> Table:
        """The table of the first sheet, read as the same cells in a text table would be.

        It begins with the first row that fills most of the columns.

        Raises:
            DataError: no such file, no workbook, an empty sheet, no openpyxl, and what
                `read_text_table` raises.
        """
        import pandas as pd

        file = self.existing(path)
        try:
            with zipfile.ZipFile(file) as parts:
                reason = too_large(sum(part.file_size for part in parts.infolist()))
            if reason is not None:
                raise DataError(
                    f"xlsx: needs a workbook that fits into memory; {path_text(file)} {reason}, "
                    "once unpacked"
                )
            with pd.ExcelFile(file, engine="openpyxl") as book:
                first, *others = map(str, book.sheet_names)
                cells = pd.read_excel(book, header=None, dtype=object, na_filter=False)
        except ImportError as error:
            raise DataError(
                f"xlsx: needs the package openpyxl ({said(error)}). Available: pip install "
                "openpyxl, or the sheet saved as csv"
            ) from error
        except (*UNREADABLE, ValueError, KeyError, TypeError, SyntaxError) as error:
            raise DataError(
                f"xlsx: needs an Excel workbook (.xlsx); {path_text(file)} cannot be read: "
                f"{said(error)}. Save it anew as .xlsx, or as csv"
            ) from error
        source = f"sheet {quoted(first)} of {path_text(file)}"
        texts = cells.map(_text)
        filled = texts != ""
        texts = texts.loc[filled.any(axis=1), filled.any(axis=0)]
        if texts.empty:
            raise DataError(f"xlsx: needs a table; {source} is empty")
        above = _above(texts)
        remarks = []
        if others:
            others = list(map(quoted, others))
            remarks.append(f"read the sheet {quoted(first)} alone, not {listed(others, 8)}")
        if above:
            rows = counted(above, "row")
            remarks.append(f"left out {rows} above the table, which do not fill it")
        into = io.StringIO()
        csv.writer(into, quoting=csv.QUOTE_ALL).writerows(
            texts.iloc[above:].itertuples(index=False)
        )
        reading = replace(reading, sep=",", encoding="utf-8")
        table = read_text_table(into.getvalue().encode(), reading, source)
        return replace(table, remarks=(*remarks, *table.remarks))


def _text(cell: Any) -> str:
    """A cell as a text table would have it."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, dt.time):
        return repr(seconds_of_day(cell))
    if isinstance(cell, dt.timedelta):
        return repr(cell.total_seconds())
    return " ".join(str(cell).split())


def _above(texts: pd.DataFrame) -> int:
    """Rows above the first one that fills four fifths of the columns, or all but the first (an
    index has no name); if none does, that fills more than half."""
    filled = (texts.iloc[:_FIRST] != "").to_numpy()
    share = filled.mean(axis=1)
    whole = (share >= 0.8) | filled[:, 1:].all(axis=1) & (filled.shape[1] > 2)
    return int((whole if whole.any() else share > 0.5).argmax())
