"""Study definitions by name or path: those in ./studies before those that ship."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuner.errors import DefinitionError
from tuner.spaces import Space, load_space, shipped_folder
from tuner.spaces.explain import Problem
from tuner.spaces.shipped import SUFFIXES, named_file
from tuner.spaces.yaml_file import load_yaml, raise_problems, validate_data
from tuner.study.definition import StudyDefinition

#: The folder, below where the command runs, whose files shadow the shipped ones.
LOCAL = Path("studies")


@dataclass(frozen=True)
class DefinitionEntry:
    """A definition that can be named. `source` is `local` for ./studies, else `shipped`."""

    name: str
    source: Literal["local", "shipped"]
    path: Path


def list_definitions() -> list[DefinitionEntry]:
    """Every definition that can be named; a local file hides a shipped one of its name."""
    entries: dict[str, DefinitionEntry] = {}
    shipped = shipped_folder("studies")
    for folder in (LOCAL, shipped):
        if not folder.is_dir():
            continue
        source: Literal["local", "shipped"] = (
            "shipped" if folder.resolve() == shipped.resolve() else "local"
        )
        for path in sorted(folder.iterdir()):
            if path.suffix in SUFFIXES:
                entries.setdefault(path.stem, DefinitionEntry(path.stem, source, path))
    return sorted(entries.values(), key=lambda entry: entry.name)


def load_definition(name_or_path: str | Path, *, space: Space | None = None) -> StudyDefinition:
    """The definition of a file, or of a name.

    What ends in .yaml or .yml, or is a file, is a path; anything else is looked up in ./studies,
    then among the shipped definitions. `space` stands in for the file's own; `default` has none.
    In the file, `space` is a space's name, its path, or its contents.

    Raises `DefinitionError` with one line for every problem (file, line, field, rule, value), and
    `SpaceError` for what is wrong with the space that it names.
    """
    path = _find(name_or_path)
    data, lines = load_yaml(path, DefinitionError)
    if "name" in data:
        text = f"must be left out: the file's name is its name; got {data['name']!r}"
        raise_problems([Problem(str(path), lines.of(("name",)), ("name",), text)], DefinitionError)
    complete: dict[str, Any] = {**data, "name": path.stem}
    if space is not None:
        complete["space"] = space
    elif isinstance(named := data.get("space"), str):
        complete["space"] = load_space(named)
    elif isinstance(named, dict):
        complete["space"] = {"name": path.stem, **named}
    if "space" not in complete:
        raise DefinitionError(
            f"a study needs a search space; {path} names none. "
            "Available: --space NAME, or a line `space: NAME` in the file"
        )
    definition, problems = validate_data(complete, StudyDefinition, str(path), lines)
    raise_problems(problems, DefinitionError)
    assert definition is not None
    return definition


def _find(name_or_path: str | Path) -> Path:
    def files() -> dict[str, Path]:
        return {entry.name: entry.path for entry in list_definitions()}

    return named_file("study definition", name_or_path, files, DefinitionError)
