"""`parquet:PATH`: a Parquet file, read by pyarrow."""

from tuner.data.sources.base import FileSource, Reading
from tuner.data.sources.frames import plain_table
from tuner.data.sources.table import Table, TableSource
from tuner.errors import DataError
from tuner.files import too_large
from tuner.text import path_text, said


class Parquet(FileSource, TableSource):
    """A Parquet file, read by pyarrow."""

    name = "parquet"
    what = "PATH of a Parquet table"
    suffixes = (".parquet", ".pq")

    def table(self, path: str, reading: Reading) -> Table:
        """The table; an index that pandas stored is no column.

        Raises:
            DataError: no such file, not Parquet.
        """
        import pyarrow
        from pyarrow.parquet import ParquetFile

        file = self.existing(path)
        try:
            with ParquetFile(file) as parquet:
                facts = parquet.metadata
                packed = sum(
                    facts.row_group(number).total_byte_size
                    for number in range(facts.num_row_groups)
                )
                # A column of one value has no bytes of its own there, and 8 a row as numbers.
                reason = too_large(max(packed, 8 * facts.num_rows * facts.num_columns))
                if reason is not None:
                    raise DataError(
                        f"parquet: needs a table that fits into memory; {path_text(file)} "
                        f"{reason}, once unpacked"
                    )
                frame = parquet.read(use_pandas_metadata=True).to_pandas()
        except (OSError, ValueError, MemoryError, pyarrow.ArrowException) as error:
            raise DataError(
                f"parquet: needs a Parquet file; {path_text(file)} cannot be read: {said(error)}"
            ) from error
        return plain_table(frame, path_text(file))
