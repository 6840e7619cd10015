"""An exported model's folder: all of it or none of it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner.errors import UsageError
from tuner.files import unmakable, unreadable
from tuner.text import listed, path_text

MODEL = "model.keras"
NETWORK = "network.keras"
ARCHITECTURE = "architecture.json"
WEIGHTS = "weights.weights.h5"
SETTINGS = "settings.json"
PREPROCESSING = "preprocessing.json"
CLASSES = "classes.json"
CARD = "MODEL.md"

#: In settings.json: what says that a folder is an export, and of which layout.
FORMAT = "tuner-export"
FORMAT_VERSION = 1


def check_target(out: Path, *, force: bool) -> None:
    """Refuse a folder that an export may not write.

    Raises:
        UsageError: `out` is a file, a mount point or the working directory, or cannot be made, or
            holds something and `force` is not given, or holds something that is no export: only
            exports are replaced.
    """
    there = os.path.lexists(out)
    if there and (out.is_symlink() or not out.is_dir()):
        raise UsageError(f"an export makes a folder of its own; {path_text(out)} is something else")
    if there and os.path.ismount(out):
        raise UsageError(f"an export makes a folder of its own; {path_text(out)} is a mount point")
    here = Path.cwd()
    if Path(os.path.realpath(out)) in (here, *here.parents):
        raise UsageError(
            f"an export makes a folder of its own; {path_text(out)} is, or holds, the one that "
            "this "
            "command runs in. Available: --out with the name of a new one"
        )
    if reason := unmakable(out.absolute().parent if there else out):
        raise UsageError(f"an export must be able to make its folder; {path_text(out)} {reason}")
    if not there or not any(out.iterdir()):
        return
    if not force:
        raise UsageError(
            f"an export goes into a new or empty folder; {path_text(out)} holds "
            f"{listed(sorted(p.name for p in out.iterdir()))}. Give --force to replace an "
            "earlier export"
        )
    if not is_export(out):
        raise UsageError(
            f"--force replaces an earlier export only; {path_text(out)} holds no {SETTINGS} of one"
        )


def is_export(folder: Path) -> bool:
    """Whether `folder` was written by an export."""
    if unreadable(folder / SETTINGS):
        return False
    try:
        return bool(read_json(folder / SETTINGS).get("format") == FORMAT)
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def write_folder(out: Path, fill: Callable[[Path], None]) -> None:
    """Make `out` with what `fill` writes into the folder it is given.

    `fill` works in a temporary folder beside `out`, which is renamed at the end: nobody ever sees
    half an export. What `out` held is removed after that.

    Raises:
        UsageError: the place cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(prefix=".tuner-export-", dir=out.parent))
        try:
            made = working / "made"
            made.mkdir()
            fill(made)
            _swap(made, out, working / "replaced")
        finally:
            shutil.rmtree(working, ignore_errors=True)
    except OSError as error:
        raise UsageError(
            f"an export must be able to write its folder; {path_text(out)}: "
            f"{error.strerror or error}"
        ) from error


def _swap(made: Path, out: Path, replaced: Path) -> None:
    """Rename `made` to `out`, and what `out` was to `replaced`; all stays if that fails."""
    existed = out.exists()
    if existed:
        os.rename(out, replaced)
    try:
        os.rename(made, out)
    except OSError:
        if existed:
            os.rename(replaced, out)
        raise


def write_json(path: Path, data: Any) -> None:
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Raises OSError, ValueError or RecursionError."""
    return json.loads(path.read_text(encoding="utf-8"))
