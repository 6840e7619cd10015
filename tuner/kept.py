"""Files named by their contents, beside a storage: used by any study, and taken back by the call
that wrote them if it comes to nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tuner.errors import UsageError


class Kept:
    """What one call has in such folders.

    Several processes may have the same file. Each holds a shared lock on the folder until its
    study is stored, and sets the time of a file that it uses: only who is alone there removes a
    file, and only its own, if nobody has used it since. Without locks nothing is removed.

    As a context manager it takes back what was written before a `UsageError`.
    """

    def __init__(self) -> None:
        self._made: dict[Path, int] = {}
        self._folders: list[Path] = []
        self._locks: dict[Path, int] = {}

    def have(self, path: Path, write: Callable[[], None]) -> None:
        """Make sure of `path`, a file or a folder; `write` makes it. Raises OSError."""
        folder = path.parent
        self._folders += [own for own in (folder, *folder.parents) if not own.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._locks.setdefault(folder, _locked(folder))
        try:
            os.utime(path)
        except FileNotFoundError:
            write()
            self._made[path] = path.stat().st_mtime_ns
        except OSError:
            pass  # somebody else's, and there

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, UsageError):  # else a study may be there
            self.take_back()
        self._release()

    def keep(self) -> None:
        """A study needs them from now on."""
        for path in self._made:
            with suppress(OSError):
                os.utime(path)
        self._release()

    def take_back(self) -> None:
        """Remove what was written and is of no use, and folders that are empty then."""
        for path, made in self._made.items():
            with suppress(OSError):
                if _alone(self._locks[path.parent]) and path.stat().st_mtime_ns == made:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        for folder in sorted(self._folders, key=lambda own: len(own.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        self._release()

    def _release(self) -> None:
        for lock in self._locks.values():
            with suppress(OSError):
                os.close(lock)
        self._made, self._folders, self._locks = {}, [], {}


def _locked(folder: Path) -> int:
    """A shared lock on a folder, -1 if there are none."""
    try:
        import fcntl

        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return -1
    return lock


def _alone(lock: int) -> bool:
    """Whether nobody else holds one; nobody can get one then."""
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
