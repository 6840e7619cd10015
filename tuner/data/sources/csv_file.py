"""`csv:PATH`: a text table whose first line names the columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tuner.data.sources.base import FileSource, Reading
from tuner.data.sources.table import Table, TableSource
from tuner.data.sources.unpacked import UNREADABLE, opened
from tuner.errors import DataError
from tuner.text import listed, path_text, quoted, said, shortened

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = ",;\t|"


class Csv(FileSource, TableSource):
    """A text table whose first line names the columns, compressed (`.csv.gz`) or not."""

    name = "csv"
    what = "PATH of a text table whose first line names columns"
    suffixes = (".csv", ".tsv", ".gz")

    def table(self, path: str, reading: Reading) -> Table:
        """The table, read by pandas with exact floats.

        The separator is the one of comma, semicolon, tab and bar that the first line holds most of.
        A first column without a name that counts the rows from 0 (pandas' index) is left out.
        Compressed files (`.csv.gz`, `.bz2`, `.xz`, `.zip`) are read as they are.

        Raises:
            DataError: no such file, an empty one, no line of names, lines of unequal length.
        """
        import pandas as pd

        file = self.existing(path)
        try:
            with opened(file) as stream:
                header = _header(stream)
            separator = _separator(header)
            names = next(csv.reader([header], delimiter=separator))
            with opened(file) as stream:
                frame = pd.read_csv(
                    stream, sep=separator, encoding="utf-8-sig", low_memory=False, **_exact_floats()
                )
        except pd.errors.EmptyDataError as error:
            raise DataError(
                f"csv: needs a line of column names and rows; {path_text(file)} is empty"
            ) from error
        except pd.errors.ParserError as error:
            reason = said(error).removeprefix("Error tokenizing data. C error: ")
            raise DataError(
                "every line of a csv file must have as many values as its first; "
                f"{path_text(file)}: {reason}"
            ) from error
        except UnicodeDecodeError as error:
            raise DataError(
                f"csv: needs UTF-8 text; {path_text(file)}: {said(error)}. Save it as UTF-8"
            ) from error
        except (*UNREADABLE, ValueError, csv.Error) as error:
            raise DataError(f"csv: {path_text(file)} cannot be read: {said(error)}") from error
        if not isinstance(frame.index, pd.RangeIndex):  # what pandas makes of surplus values
            raise DataError(
                "every line of a csv file must have as many values as its first; "
                f"{path_text(file)} names "
                f"{len(frame.columns)} columns and has lines of more values"
            )
        _check_names(names, file)
        return Table(_without_index(frame))


def _exact_floats() -> dict[str, str]:
    """pandas rounds the last digit of some floats by default before 3.1, and warns of the setting
    that prevents it since."""
    import pandas as pd

    major, minor = (int(part) for part in pd.__version__.split(".")[:2])
    return {} if (major, minor) >= (3, 1) else {"float_precision": "round_trip"}


def _header(file: Path | BinaryIO) -> str:
    """The first line."""
    import pandas as pd

    first = pd.read_csv(
        file,
        sep="\x01",  # a character that no table holds: the line as one cell
        header=None,
        nrows=1,
        dtype=str,
        encoding="utf-8-sig",
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
    )
    return str(first.iloc[0, 0])


def _separator(header: str) -> str:
    unquoted = re.sub(r'"[^"]*"', "", header)
    return max(SEPARATORS, key=unquoted.count)


def _check_names(names: list[str], file: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"the columns of a csv file must have different names; {path_text(file)} has "
            f"{listed(list(map(quoted, twice)))} more than once"
        )
    # Counting names (0, 1, 2, ... as pandas writes them, or years) are names; 5.1 is a value.
    values = [name for name in names if _is_number(name) and not name.strip().isdigit()]
    if values:
        raise DataError(
            f"the first line of a csv file must name the columns; that of {path_text(file)} holds "
            "the number "
            f"{shortened(values[0].strip())}. Put a line of names in front"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    if len(frame.columns) and frame.columns[0] == "Unnamed: 0":
        column = frame.iloc[:, 0]
        if (column.astype(str) == [str(i) for i in range(len(frame))]).all():
            return frame.iloc[:, 1:]
    return frame
