"""`csv:PATH`: a text table."""

from pathlib import Path

from tuner.data.sources.base import FileSource, Reading
from tuner.data.sources.table import Table, TableSource
from tuner.data.sources.unpacked import UNREADABLE, opened
from tuner.data.text.read import read_text_table
from tuner.errors import DataError
from tuner.text import path_text, said


class Csv(FileSource, TableSource):
    """A text table: values separated by commas, semicolons, tabs, bars or spaces, with or without a
    line of names, compressed (`.csv.gz`, `.bz2`, `.xz`, `.zip`) or not."""

    name = "csv"
    what = "PATH of a text table"
    suffixes = (".csv", ".tsv", ".gz", ".data", ".txt", ".dat")
    reading = ("header", "sep", "encoding", "decimal", "na")

    def table(self, path: str, reading: Reading) -> Table:
        """The table; what was guessed of it is among its remarks.

        Raises:
            DataError: no such file, and what `read_text_table` raises.
        """
        file = self.existing(path)
        try:
            with opened(file) as stream:
                data = stream.read_bytes() if isinstance(stream, Path) else stream.read()
        except UNREADABLE as error:
            raise DataError(f"csv: {path_text(file)} cannot be read: {said(error)}") from error
        return read_text_table(data, reading, path_text(file))
