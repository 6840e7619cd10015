"""Optuna's artifact store for a folder, made safe against dying in the middle of a write."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound

from tuner.files import unreadable, write_whole


class AtomicFileStore(FileSystemArtifactStore):
    """A `FileSystemArtifactStore` whose artifacts are there whole or not at all, also after a
    power cut: a temporary file is synced, then renamed. The folder is made at the first write.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Raises OSError; what was there before is there then still."""
        path = Path(self._get_filepath(artifact_id))
        write_whole(path, lambda file: shutil.copyfileobj(content_body, file))

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Raises OSError also for what is no regular file: opening a pipe waits for ever."""
        path = Path(self._get_filepath(artifact_id))
        if os.path.lexists(path) and (reason := unreadable(path)):
            raise OSError(f"{path.name} {reason}")
        return super().open_reader(artifact_id)

    def remove(self, artifact_id: str) -> None:
        """If it is there and can be removed."""
        with suppress(ArtifactNotFound, OSError):
            super().remove(artifact_id)

    def ages(self) -> dict[str, float]:
        """Name to seconds since it was written, of all files in the folder."""
        now, found = time.time(), {}
        with suppress(OSError):
            for entry in os.scandir(self.folder):
                with suppress(OSError):  # another worker was quicker
                    if entry.is_file():
                        found[entry.name] = now - entry.stat().st_mtime
        return found
