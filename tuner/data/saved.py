"""Arrays and frames of a program's memory, written where every process can read them.

A file is named by the hash of its contents: the same contents are written once, and what a name
stands for never changes. Nothing here is ever deleted, but by the call that wrote it, if no study
came of it (`tuner.kept`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import content_hash
from tuner.data.sources.arrays import Arrays
from tuner.data.sources.feather import Feather
from tuner.errors import DataError
from tuner.files import write_whole
from tuner.kept import Kept
from tuner.text import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


def save_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]], kept: Kept) -> str:
    """Write arrays of numbers or text, in C order, below `folder`; the URI of what was written.

    Args:
        arrays: by the names of `tuner.data.sources.arrays`.

    Raises:
        DataError: the folder cannot be written.
    """
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    place = _place(folder, content_hash(whole, {}))
    with _told(folder):
        kept.have(place, partial(_write_folder, place, whole))
    return f"{Arrays.name}:{place}"


def save_table(folder: Path, frame: pd.DataFrame, kept: Kept) -> str:
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

    place = _place(folder, f"{hashlib.sha256(content).hexdigest()[:16]}{Feather.suffixes[0]}")
    with _told(folder):
        kept.have(place, lambda: write_whole(place, lambda file: file.write(content)))
    return f"{Feather.name}:{place}"


def _place(folder: Path, name: str) -> Path:
    return Path(os.path.abspath(folder)) / name


def _write_folder(place: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Arrays as files of a folder that gets its name once they are whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        made = working / place.name
        for name, array in arrays.items():
            write_whole(made / f"{name}.npy", partial(np.save, arr=array, allow_pickle=False))
        os.replace(made, place)
    except OSError:
        if not place.exists():  # another process was quicker
            raise
    finally:
        shutil.rmtree(working, ignore_errors=True)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"data of Python are kept in a folder that can be written; {path_text(folder)}: "
            f"{error.strerror or error}. Available: storage= or artifacts= elsewhere"
        ) from error
