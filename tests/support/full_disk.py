"""A disk of a few hundred kilobytes, to be filled, and one that nobody may write any more."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest


class SmallDisk:
    """A file system at `folder`, of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def fill(self, left: int = 0) -> None:
        """Take all room but `left` bytes."""
        with suppress(OSError), self._filling.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        if left:
            with self._filling.open("r+b") as file:
                file.truncate(self._filling.stat().st_size - left)

    def make_room(self) -> None:
        self._filling.unlink()

    def read_only(self, yes: bool = True) -> None:
        subprocess.run(["mount", "-o", f"remount,{'ro' if yes else 'rw'}", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[SmallDisk]:
    """Skipped where nobody may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    can = sys.platform == "linux" and shutil.which("mount")
    if not can or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", folder], check=True)
