"""Spaces by name or path: those in ./search_spaces before those that ship."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuner.errors import SpaceError
from tuner.spaces.explain import Problem
from tuner.spaces.shipped import SUFFIXES, named_file, shipped_folder
from tuner.spaces.space import Space
from tuner.spaces.yaml_file import raise_problems, read_mapping, validate_data

#: The folder, below where the command runs, whose files shadow the shipped ones.
LOCAL = Path("search_spaces")


@dataclass(frozen=True)
class SpaceEntry:
    """A space that can be named. `source` is `local` for ./search_spaces, else `shipped`."""

    name: str
    description: str
    source: Literal["local", "shipped"]
    path: Path


def load_space(name_or_path: str | Path) -> Space:
    """The space of a file, or of a name.

    What ends in .yaml or .yml, or is a file, is a path; anything else is looked up in
    ./search_spaces, then among the shipped spaces. Raises SpaceError with one line for every
    problem: file, line, field, rule, value.
    """
    space, problems = check_space(find_space(name_or_path))
    raise_problems(problems, SpaceError)
    assert space is not None
    return space


def find_space(name_or_path: str | Path) -> Path:
    """The file of a space. Raises SpaceError where there is none."""

    def files() -> dict[str, Path]:
        return {name: path for name, (_, path) in space_files().items()}

    return named_file("search space", name_or_path, files, SpaceError)


def check_space(path: Path) -> tuple[Space | None, list[Problem]]:
    """The space of a file, or everything that is wrong with it in the order of its lines.

    Raises SpaceError only where the file cannot be read.
    """
    data, lines, problems = read_mapping(path, SpaceError)
    if not data and problems:
        return None, problems
    if "name" in data:
        text = f"must be left out: the file's name is the space's name; got {data['name']!r}"
        problems.append(Problem(str(path), lines.of(("name",)), ("name",), text))
    space, found = validate_data({**data, "name": path.stem}, Space, str(path), lines)
    problems = sorted([*problems, *found], key=lambda problem: problem.line or 0)
    return (None, problems) if problems else (space, [])


def space_files() -> dict[str, tuple[Literal["local", "shipped"], Path]]:
    """Every space's file by name; local ones first, which hide shipped ones of their name."""
    shipped = shipped_folder("search_spaces")
    files: dict[str, tuple[Literal["local", "shipped"], Path]] = {}
    for folder in (LOCAL, shipped):
        if not folder.is_dir():
            continue
        source: Literal["local", "shipped"] = (
            "shipped" if folder.resolve() == shipped.resolve() else "local"
        )
        for path in sorted(folder.iterdir()):
            if path.suffix in SUFFIXES:
                files.setdefault(path.stem, (source, path))
    return files


def list_spaces() -> list[SpaceEntry]:
    """Every space that can be named; a file that is wrong says so in its description."""
    entries = []
    for name, (source, path) in space_files().items():
        try:
            space, problems = check_space(path)
            description = space.description if space else f"(not valid: {problems[0]})"
        except SpaceError as error:
            description = f"(not valid: {error})"
        entries.append(SpaceEntry(name, description, source, path))
    return entries
