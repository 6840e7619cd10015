"""A storage in a file."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from tuner.errors import StorageError, UsageError
from tuner.masking import display_url
from tuner.storage.file_watch import FileWatch
from tuner.storage.kind import StorageKind
from tuner.text import path_text


class FileKind(StorageKind):
    """A storage in a file."""

    REMOTE = False
    #: How its normal URL begins.
    PREFIX: ClassVar[str]

    def __str__(self) -> str:
        return self.url  # a file has no login, and its whole name is needed to find it

    @property
    def named(self) -> Path:
        """Its file as it was named."""
        return Path(self.url.removeprefix(self.PREFIX))

    @cached_property
    def file(self) -> Path:
        # Locks, logs and checkpoints lie beside the file itself, by whatever link it was named.
        named = self.named
        return Path(os.path.realpath(named)) if os.path.islink(named) else named

    def require(self) -> None:
        self._require_regular()
        super().require()

    def _require_regular(self) -> None:
        """Raises `StorageError` for a folder, a pipe or a device: opening one may wait for ever."""
        if os.path.exists(self.file) and not os.path.isfile(self.file):
            raise StorageError(f"a storage must be a file; {path_text(self.file)} is none")

    @cached_property
    def _watch(self) -> FileWatch:
        return FileWatch(self.named)  # a link may be turned to another file

    def lost(self) -> str | None:
        return self._watch.lost()

    def _prepare(self) -> None:
        """Make the folder. Raises PermissionError if file or folder cannot be written: SQLite
        itself would say so at the first trial only."""
        self._require_regular()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        for place in (self.file.parent, self.file):
            if os.path.exists(place) and not os.access(place, os.W_OK):
                raise PermissionError(f"no permission to write {place}")

    def _unusable(self, reason: str) -> str:
        folder = next(folder for folder in self.file.parents if os.path.exists(folder))
        shut = [p for p in (self.file, folder) if os.path.exists(p) and not os.access(p, os.W_OK)]
        where = f"{shut[0]} is not writable" if shut else f"the folder is {folder}"
        return (
            f"a storage must be a file that can be read and written; {self.file} cannot be used "
            f"({reason}; {where}). Available: --storage URL or TUNER_STORAGE with another place"
        )


def file_path(text: str, prefix: str) -> str:
    """A storage's path, with `~/` as the home folder, which a shell leaves inside a URL.

    Raises `UsageError` for a relative one that may as well be a server's URL, mistyped, with its
    password.
    """
    if display_url(url := f"{prefix}{text}") != url:
        raise UsageError(
            "a path that has : and @, like a login, begins with / or ./; "
            f"got {display_url(url)!r}. Available: {prefix}./PATH"
        )
    return os.path.expanduser(text) if text.startswith("~/") else text


def plain_path(text: str, prefix: str) -> str:
    """As `file_path`, of one without a scheme, as the system writes it."""
    return file_path(text.replace(os.sep, "/"), prefix)
