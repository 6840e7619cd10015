"""`npz:PATH`: a NumPy archive with `x_train y_train [x_test y_test]`, `X y`, or other names."""

import math
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.sources.base import FileSource, RawData, Request
from tuner.data.sources.npz_names import LAYOUTS, find_arrays
from tuner.data.sources.unpacked import UNREADABLE
from tuner.errors import DataError
from tuner.files import too_large
from tuner.text import listed, path_text, quoted, said, size_text

#: How a file of one array begins, as numpy.save writes it.
_SINGLE = b"\x93NUMPY"


class Npz(FileSource):
    """A NumPy archive of named arrays, in any case: `x_train y_train [x_test y_test]`, `train_x`,
    `train_images train_labels`, `X y`, `data labels`, `data target`, `images labels`, `features
    targets` or `arr_0 arr_1`."""

    name = "npz"
    what = "PATH of a NumPy file with x_train y_train, or X y"
    suffixes = (".npz",)
    has_groups = True

    def read(self, path: str, request: Request) -> RawData:
        """The arrays of the file; nothing in it is ever unpickled.

        `--group NAME` names another array of the file, one entry a search row. If no target is
        needed, features may stand alone.

        Raises:
            DataError: no such file, not an npz file, arrays missing, pickled objects.
        """
        file = self.existing(path)
        try:
            with file.open("rb") as stream:
                single = stream.read(len(_SINGLE)) == _SINGLE
            archive = None if single else np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"npz: needs a file written by numpy.savez or savez_compressed; {path_text(file)} "
                "is none"
            ) from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(
                f"npz: needs an archive of named arrays ({LAYOUTS}); {path_text(file)} holds a "
                "single array, "
                f"as numpy.save writes it"
            )
        with archive:
            return _arrays(archive, file, request)


def _arrays(archive: Any, file: Path, request: Request) -> RawData:
    names: list[str] = list(archive.files)
    if request.group is not None and request.group not in names:
        raise DataError(
            f"--group names an array of the npz file; there is no {quoted(request.group)} in "
            f"{path_text(file)}. "
            f"Available: {listed(names, 20)}"
        )
    others = [name for name in names if name != request.group]
    found = find_arrays(others, path_text(file), need_target=request.need_target)
    used = {
        "x": found.x, "y": found.y, "x_test": found.x_test, "y_test": found.y_test,
        "groups": request.group,
    }  # fmt: skip
    present = {role: name for role, name in used.items() if name is not None}
    if reason := beyond_memory(archive, list(present.values())):
        raise DataError(f"npz: needs arrays that fit into memory; {path_text(file)} {reason}")
    arrays = {role: _array(archive, name, file) for role, name in present.items()}
    return RawData(
        x=arrays["x"],
        y=arrays.get("y"),
        x_test=arrays.get("x_test"),
        y_test=arrays.get("y_test"),
        groups=arrays.get("groups"),
        remarks=found.remarks,
    )


def beyond_memory(archive: Any, names: Collection[str], most: int | None = None) -> str | None:
    """Why the named arrays of an `NpzFile` cannot be held, before any of them is read: together
    they unpack to more than `most` bytes (None: than this machine has memory), or one promises more
    than the file has of it. None if they can."""
    total = 0
    for entry in archive.zip.infolist():
        if entry.filename.removesuffix(".npy") not in names:
            continue
        total += entry.file_size
        promised = _promised(archive.zip, entry)
        if promised is not None and promised > entry.file_size:
            return (
                f"is cut: {entry.filename} promises {size_text(promised)} and holds "
                f"{size_text(entry.file_size)}"
            )
    reason = too_large(total, most)
    return reason and f"{reason}, once unpacked"


def _promised(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int | None:
    """The bytes of an array by its header; None if it has none that can be read, or if it holds
    Python objects: whoever reads it says so."""
    try:
        with archive.open(entry) as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_2_0
            if version == (1, 0):
                read = np.lib.format.read_array_header_1_0
            shape, _, dtype = read(stream)
    except (*UNREADABLE, ValueError):
        return None
    return None if dtype.hasobject else math.prod(shape) * dtype.itemsize


def _array(archive: Any, name: str, file: Path) -> NDArray[Any]:
    try:
        array = archive[name]
    except ValueError as error:
        raise DataError(
            f"arrays must hold plain numbers or text; {name} in {path_text(file)} holds pickled "
            "Python "
            f"objects, which can run code when read and are never read. Save it with a plain dtype"
        ) from error
    except UNREADABLE as error:
        raise DataError(
            f"{name} in {path_text(file)} cannot be read: {said(error)}. Write the file anew"
        ) from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"an npz file must hold arrays; {name} in {path_text(file)} is none")
    return array
