"""Where the files that ship with `tuner` are, and which file a name or a path means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from tuner.errors import TunerError, unknown

SUFFIXES = (".yaml", ".yml")


def shipped_folder(kind: Literal["search_spaces", "studies"]) -> Path:
    """The folder of shipped spaces or study definitions.

    An installed package carries it as `tuner/_shipped/<kind>`; in a clone (an editable install)
    it is `<kind>` at the root. Raises TunerError where neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_shipped" / kind, package.parent / kind):
        if folder.is_dir():
            return folder
    raise TunerError(f"the shipped files are missing: no folder {package / '_shipped' / kind}")


def named_file(
    kind: str,
    name_or_path: str | Path,
    list_files: Callable[[], Mapping[str, Path]],
    error: type[TunerError],
) -> Path:
    """The file that is meant: what ends in .yaml or .yml, or is a file, is a path; anything else
    is a name among the listed files (a path lists none). Raises `error` for a name that is
    not."""
    path = Path(name_or_path)
    if path.suffix in SUFFIXES or path.is_file():
        return path
    files = list_files()
    if str(name_or_path) not in files:
        raise error(unknown(kind, str(name_or_path), files))
    return files[str(name_or_path)]
