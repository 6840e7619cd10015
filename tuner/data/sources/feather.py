"""`feather:PATH`: a Feather file (Arrow on disk), read by pyarrow."""

from tuner.data.sources.base import FileSource, Reading
from tuner.data.sources.frames import plain_table
from tuner.data.sources.table import Table, TableSource
from tuner.errors import DataError
from tuner.text import path_text, said


class Feather(FileSource, TableSource):
    """A Feather file, which is Arrow's table on disk, read by pyarrow."""

    name = "feather"
    what = "PATH of a Feather table"
    suffixes = (".feather", ".arrow", ".ipc")

    def table(self, path: str, reading: Reading) -> Table:
        """The table; an index that pandas stored is no column.

        Raises:
            DataError: no such file, not Feather.
        """
        import pyarrow
        from pyarrow.feather import read_table

        file = self.existing(path)
        try:
            frame = read_table(file, memory_map=False).to_pandas()
        except (OSError, ValueError, MemoryError, pyarrow.ArrowException) as error:
            raise DataError(
                f"feather: needs a Feather file; {path_text(file)} cannot be read: {said(error)}"
            ) from error
        return plain_table(frame, path_text(file))
