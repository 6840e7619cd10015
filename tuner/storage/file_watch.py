"""Is the file of an opened storage still the one at its path?

Who has a file open goes on reading and writing it after it was deleted, moved or replaced, and
what is stored then is nobody's to read.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

#: Bytes of a large write.
_NEXT = 1 << 16
_RULE = "a storage's file stays where it is while somebody works on it"


class FileWatch:
    """Remembers the file at `path` from the first look on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: os.stat_result | None = None

    def lost(self) -> str | None:
        """What became of the file, what that means and what to do; None if it is there, or was
        not there before. Costs one `stat`."""
        try:
            now = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None if self._first is None else self._gone()
        except OSError:
            return None  # whoever reads or writes it is told
        if self._first is None:
            self._first = now
        if not os.path.samestat(now, self._first):
            return replaced(self._path)
        if self._first.st_size and not now.st_size:
            return cut(self._path)
        self._first = now
        return None

    def _gone(self) -> str:
        return (
            f"{_RULE}; {self._path} was deleted or moved away, with the results of all its "
            "studies. Available: end whoever still works on it, put the file back (what was "
            "moved, or a copy)"
        )


def replaced(path: Path) -> str:
    """What to say of a file that is not the one that was read before."""
    return (
        f"{_RULE}; {path} is another file now: what was stored is in the former one. Available: "
        "end whoever still works on it, put the former file back, or keep what is there now"
    )


def cut(path: Path) -> str:
    """What to say of a file that is shorter than what was read from it."""
    return (
        f"{_RULE}; the end of {path} was cut off, with what was stored there. Available: end "
        "whoever still works on it, put a copy back, or keep what is left"
    )


def try_writing(beside: Path) -> None:
    """Write as much beside a file as its next write may take, where that would end. Raises the
    OSError that it would meet."""
    with tempfile.TemporaryFile(dir=beside.parent, buffering=0) as file:
        file.seek(beside.stat().st_size if beside.exists() else 0)
        file.write(bytes(_NEXT))
