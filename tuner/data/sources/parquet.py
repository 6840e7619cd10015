"""`parquet:PATH`: a Parquet file, read by pandas and pyarrow."""

from tuner.data.sources.base import FileSource, RawData, Request
from tuner.data.sources.table import from_frame
from tuner.errors import DataError
from tuner.text import path_text, said


class Parquet(FileSource):
    """A Parquet file, read by pandas and pyarrow."""

    name = "parquet"
    what = "PATH of a Parquet table"
    suffixes = (".parquet", ".pq")
    is_table = True
    has_groups = True

    def read(self, path: str, request: Request) -> RawData:
        """The table; an index that pandas stored is no column.

        Raises:
            DataError: no such file, not Parquet, and what `from_frame` raises.
        """
        import pandas as pd
        import pyarrow

        file = self.existing(path)
        try:
            frame = pd.read_parquet(file)
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise DataError(
                f"parquet: needs a Parquet file; {path_text(file)} cannot be read: {said(error)}"
            ) from error
        frame.columns = frame.columns.map(str)
        return from_frame(frame, request, source=path_text(file))
