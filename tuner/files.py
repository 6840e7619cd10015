"""Files: which can be read to their end, how one is written whole, and where a folder can be
made."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tuner.resources import available_memory
from tuner.text import path_text, size_text

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


#: Ends the name of a file that is not whole yet.
UNFINISHED = ".tmp"
#: Bytes of a name and of a folder's path, on every file system that is common.
_LONGEST_NAME, _LONGEST_PATH = 255, 4000


def expanded(path: str | Path) -> Path:
    """`path` with `~` as the home folder; as it is if there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def unreadable(path: Path, most: int | None = None) -> str | None:
    """Why a file cannot be read to its end and held, as the end of a sentence that begins with
    its path: it is no regular file, or it has more than `most` bytes (None: than this machine has
    memory). None if it can be. Nothing is opened: opening a pipe waits for its writer.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ValueError) as error:  # too long, through a file, a null byte
        return f"cannot be reached ({getattr(error, 'strerror', None) or error})"
    if not stat.S_ISREG(status.st_mode):
        return f"is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no file')}"
    if not os.access(path, os.R_OK):
        return "may not be read (Permission denied)"
    return too_large(status.st_size, most)


def too_large(size: int, most: int | None = None) -> str | None:
    """`has 9 GB; ...` if that is more than `most` (None: than this machine has memory)."""
    limit = available_memory() if most is None else most
    if size <= limit:
        return None
    of = "this machine's memory holds" if most is None else "it may have"
    return f"has {size_text(size)}, more than the {size_text(limit)} that {of}"


def unmakable(folder: Path) -> str | None:
    """Why no folder can be made at this path, as the end of a sentence that begins with it; None
    if one can be, as far as can be told without making it. Its parents need not exist."""
    if "\0" in str(folder):
        return "holds a null character, which no name may"
    place = Path(os.path.abspath(folder))
    missing = []
    try:
        while not os.path.lexists(place):
            missing.append(place.name)
            place = place.parent
        if not place.is_dir():
            return f"goes through {path_text(place)}, which is no folder"
        if any(len(os.fsencode(name)) > _LONGEST_NAME for name in missing):
            return f"has a name of more than {_LONGEST_NAME} bytes"
        if len(os.fsencode(os.path.abspath(folder))) > _LONGEST_PATH:
            return f"has more than {_LONGEST_PATH} bytes, files in it would have too long a path"
    except (OSError, ValueError) as error:
        return f"cannot be made ({getattr(error, 'strerror', None) or error})"
    if not os.access(place, os.W_OK | os.X_OK):
        return f"cannot be made: {path_text(place)} is not writable"
    return None


def write_whole(path: Path, fill: Callable[[BinaryIO], object], mode: int = 0o666) -> None:
    """Make the file, and its folder, with what `fill` writes: there whole or not at all, also after
    a power cut, and whoever else writes it meanwhile. Raises OSError; what was there before is
    there then still. `mode`: who may read and write it, as far as the process's umask lets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}{UNFINISHED}")
    try:
        with open(unfinished, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a renamed file's name last. Some file systems cannot; their files are whole still."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
