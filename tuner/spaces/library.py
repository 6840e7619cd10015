"""Spaces by name or path: those in ./search_spaces before those that ship."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuner.errors import SpaceError
from tuner.spaces.explain import Problem
from tuner.spaces.shipped import named_file, named_files
from tuner.spaces.space import Space
from tuner.spaces.yaml_file import raise_problems, read_mapping, validate_data


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
    """The file of a space. Raises SpaceError if there is none."""
    return named_file("search_spaces", "search space", name_or_path, SpaceError)


def check_space(path: Path) -> tuple[Space | None, list[Problem]]:
    """The space of a file, or everything that is wrong with it in the order of its lines.

    Raises SpaceError only if the file cannot be read.
    """
    data, lines, problems = read_mapping(path, SpaceError)
    if not data and problems:
        return None, problems
    if "name" in data:
        text = f"must be left out: the file's name is the space's name; got {data['name']!r}"
        problems.append(Problem(("name",), text, str(path), lines.of(("name",))))
    space, found = validate_data({**data, "name": path.stem}, Space, str(path), lines)
    problems = sorted([*problems, *found], key=lambda problem: problem.line or 0)
    return (None, problems) if problems else (space, [])


def list_spaces() -> list[SpaceEntry]:
    """Every space that can be named; a file that is wrong says so in its description."""
    entries = []
    for name, (source, path) in named_files("search_spaces").items():
        try:
            space, problems = check_space(path)
            description = space.description if space else f"(not valid: {problems[0]})"
        except SpaceError as error:
            description = f"(not valid: {error})"
        entries.append(SpaceEntry(name, description, source, path))
    return entries
