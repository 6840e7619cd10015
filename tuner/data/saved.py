"""Arrays and frames of a program's memory, written where every process can read them.

A file is named by the hash of its contents: the same contents are written once, and what a name
stands for never changes. Nothing here is ever deleted.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import content_hash
from tuner.data.sources.arrays import Arrays
from tuner.data.sources.feather import Feather
from tuner.errors import DataError
from tuner.text import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


def save_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Write arrays of numbers or text, in C order, below `folder`; the URI of what was written.

    Args:
        arrays: by the names of `tuner.data.sources.arrays`.

    Raises:
        DataError: the folder cannot be written.
    """
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}

    def write(place: Path) -> None:
        place.mkdir()
        for name, array in whole.items():
            with (place / f"{name}.npy").open("xb") as file:
                np.save(file, array, allow_pickle=False)
                _sync(file)

    return f"{Arrays.name}:{_kept(folder, content_hash(whole, {}), write)}"


def save_table(folder: Path, frame: pd.DataFrame) -> str:
    """Write a frame of columns as `tuner.data.sources.frames.plain_table` makes them below
    `folder`; the URI of what was written.

    Raises:
        DataError: the folder cannot be written.
    """
    import pyarrow as pa
    from pyarrow.feather import write_feather

    held = pa.BufferOutputStream()
    write_feather(pa.Table.from_pandas(frame, preserve_index=False), held)
    content = held.getvalue()

    def write(place: Path) -> None:
        with place.open("xb") as file:
            file.write(content)
            _sync(file)

    name = f"{hashlib.sha256(content).hexdigest()[:16]}{Feather.suffixes[0]}"
    return f"{Feather.name}:{_kept(folder, name, write)}"


def _kept(folder: Path, name: str, write: Callable[[Path], None]) -> Path:
    """The absolute path of `name` in `folder`; if it is not there, `write` makes it at a path
    beside, which then gets its name: nobody ever sees a half of it."""
    place = Path(os.path.abspath(folder)) / name
    with _told(folder):
        if place.exists():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=place.parent))
        try:
            write(working / name)
            os.replace(working / name, place)
        except OSError:
            if not place.exists():  # another process was quicker
                raise
        finally:
            shutil.rmtree(working, ignore_errors=True)
    return place


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"data of Python are kept in a folder that can be written; {path_text(folder)}: "
            f"{error.strerror or error}. Available: storage= or artifacts= elsewhere"
        ) from error


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
