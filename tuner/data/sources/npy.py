"""`npy:PATH`: one array of NumPy as a table."""

from __future__ import annotations

import numpy as np

from tuner.data.sources.base import FileSource, Reading
from tuner.data.sources.frames import plain_table
from tuner.data.sources.table import Table, TableSource
from tuner.errors import DataError
from tuner.text import path_text, said


class Npy(FileSource, TableSource):
    """A table in one array, as `numpy.save` writes it; its columns are called 1, 2, ..., the last
    one is the target unless `--target` gives another number."""

    name = "npy"
    what = "PATH of a NumPy file with one array of rows and columns"
    suffixes = (".npy",)

    def table(self, path: str, reading: Reading) -> Table:
        """The array's columns, or its fields by name; nothing in it is ever unpickled.

        Raises:
            DataError: no such file, no array, another number of axes, pickled objects.
        """
        import pandas as pd

        file = self.existing(path)
        try:
            # A file that is cut cannot be mapped; read, it would first get all the memory it names.
            array = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, MemoryError) as error:
            raise DataError(
                f"npy: needs an array that numpy.save wrote, of plain numbers or text; "
                f"{path_text(file)} cannot be read: {said(error)}"
            ) from error
        if not isinstance(array, np.ndarray):
            array.close()
            raise DataError(
                f"npy: needs a single array; {path_text(file)} is an archive of arrays. Available: "
                f"npz:{path_text(file)}"
            )
        if array.ndim != (1 if array.dtype.names else 2):
            raise DataError(
                f"npy: needs an array of rows and columns, two axes; {path_text(file)} has the "
                f"shape {array.shape}. Images and their labels go into an npz file: X y"
            )
        if array.dtype.names:
            return plain_table(pd.DataFrame(np.array(array)), path_text(file))
        names = [str(number + 1) for number in range(array.shape[1])]
        return plain_table(pd.DataFrame(np.array(array), columns=names), path_text(file))
