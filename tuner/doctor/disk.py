"""Is there room for what a search writes?"""

from __future__ import annotations

import shutil
from pathlib import Path

from tuner.storage.finding import Finding
from tuner.text import size_text

#: Bytes below which a search may end soon, and below which it hardly begins.
LITTLE, NONE = 2**30, 50 * 2**20


def check_disk(path: Path | None) -> Finding:
    """The disk of the storage's file; None (a server): of the working directory, where its
    artifacts are."""
    folder = (Path() if path is None else path.parent).absolute()
    while not folder.exists():
        folder = folder.parent
    return judge_space(shutil.disk_usage(folder).free, folder)


def judge_space(free: int, folder: Path) -> Finding:
    """`free`: bytes."""
    if free >= LITTLE:
        return Finding("disk", "ok", f"{size_text(free)} are free in {folder}")
    return Finding(
        "disk",
        "error" if free < NONE else "warning",
        f"a search wants {size_text(LITTLE)} of free disk for trials and checkpoints; {folder} has "
        f"{size_text(free)}: make room, or put the storage elsewhere (--storage)",
    )
