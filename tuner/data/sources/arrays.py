"""`arrays:FOLDER`: arrays in files of their own, which every process of a machine shares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.sources.base import RawData, Request, Source
from tuner.errors import DataError, MissingDataError
from tuner.files import expanded, unreadable
from tuner.text import path_text, quoted, said

#: Names of the files: features, targets and what `--group` names.
FEATURES, TARGETS, GROUPS = "X", "y", "groups"


class Arrays(Source):
    """A folder with `X.npy` and `y.npy`, as `tuner.optimize` keeps the arrays that it is given.

    They are mapped into memory: float32 rows, and rows of bytes, are there once, however many
    processes train on them.
    """

    name = "arrays"
    what = "FOLDER of X.npy and y.npy, mapped into memory"
    is_path = True
    has_groups = True

    def read(self, path: str, request: Request) -> RawData:
        """The arrays of the folder; `--group groups` those in `groups.npy`, one entry a row.

        Raises:
            DataError: no such folder, no array in it, pickled objects.
        """
        folder = expanded(path)
        if not folder.is_dir():
            error = DataError if folder.exists() else MissingDataError
            raise error(
                f"arrays: needs a folder of {FEATURES}.npy and {TARGETS}.npy; there is none at "
                f"{path_text(folder.absolute())}"
            )
        if request.group not in (None, GROUPS):
            raise DataError(
                f"--group of arrays is {GROUPS}, for {GROUPS}.npy; received {quoted(request.group)}"
            )
        has_target = request.need_target or (folder / f"{TARGETS}.npy").exists()
        return RawData(
            x=_mapped(folder, FEATURES),
            y=_mapped(folder, TARGETS) if has_target else None,
            groups=None if request.group is None else _mapped(folder, GROUPS),
        )


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    file = folder / f"{name}.npy"
    reason = unreadable(file)
    try:
        if reason is None:
            # Written to in no process, and yet TensorFlow takes only what could be.
            array: NDArray[Any] = np.load(file, mmap_mode="c", allow_pickle=False)
            return array
    except (OSError, ValueError, EOFError) as error:
        reason = f"cannot be read: {said(error)}"
    raise DataError(
        f"arrays: needs arrays that numpy.save wrote, of plain numbers or text; {path_text(file)} "
        f"{reason}"
    )
