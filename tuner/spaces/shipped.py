"""Where the files that ship with `tuner` are, and which file a name or a path means."""

import os
from pathlib import Path
from typing import Literal

from tuner.errors import TunerError, unknown

SUFFIXES = (".yaml", ".yml")

#: A folder of files that are named without their ending: below where the command runs, and shipped.
Folder = Literal["search_spaces", "studies"]


def shipped_folder(folder: Folder) -> Path:
    """The folder of shipped spaces or study definitions.

    An installed package carries it as `tuner/_shipped/<folder>`; in a clone (an editable install)
    it is `<folder>` at the root. Raises TunerError if neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for place in (package / "_shipped" / folder, package.parent / folder):
        if place.is_dir():
            return place
    raise TunerError(f"the shipped files are missing: no folder {package / '_shipped' / folder}")


def named_files(folder: Folder) -> dict[str, tuple[Literal["local", "shipped"], Path]]:
    """Every file by name; local ones first, which hide shipped ones of their name."""
    shipped, local = shipped_folder(folder), Path(folder)
    files: dict[str, tuple[Literal["local", "shipped"], Path]] = {}
    for place in (local, shipped):
        ours = place.is_dir() and place.resolve() == shipped.resolve()
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path.suffix in SUFFIXES:
                files.setdefault(path.stem, ("shipped" if ours else "local", path))
    return files


def named_file(
    folder: Folder, what: str, name_or_path: str | Path, error: type[TunerError]
) -> Path:
    """The file that is meant: what ends in .yaml or .yml, or is a file, is a path; anything else
    is a name in `named_files`. Raises `error` for a name that is not, calling it `what`."""
    path = Path(name_or_path)
    if path.suffix in SUFFIXES or os.path.isfile(path):  # False also for a name that is too long
        return path
    files = named_files(folder)
    if str(name_or_path) not in files:
        raise error(unknown(what, str(name_or_path), files))
    return files[str(name_or_path)][1]
