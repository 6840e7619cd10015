"""Study definitions by name or path: those in ./studies before those that ship."""

from pathlib import Path
from typing import Any

from tuner.errors import DefinitionError
from tuner.spaces import Space, load_space
from tuner.spaces.explain import Problem
from tuner.spaces.shipped import named_file
from tuner.spaces.yaml_file import load_yaml, raise_problems, validated
from tuner.study.definition import StudyDefinition


def load_definition(name_or_path: str | Path, *, space: Space | None = None) -> StudyDefinition:
    """The definition of a file, or of a name.

    What ends in .yaml or .yml, or is a file, is a path; anything else is looked up in ./studies,
    then among the shipped definitions. `space` stands in for the file's own; `default` has none.
    In the file, `space` is a space's name, its path, or its contents.

    Raises `DefinitionError` with one line for every problem (file, line, field, rule, value), and
    `SpaceError` for what is wrong with the space that it names.
    """
    path = named_file("studies", "study definition", name_or_path, DefinitionError)
    data, lines = load_yaml(path, DefinitionError)
    if "name" in data:
        text = f"must be left out: the file's name is its name; got {data['name']!r}"
        raise_problems([Problem(("name",), text, str(path), lines.of(("name",)))], DefinitionError)
    complete: dict[str, Any] = {**data, "name": path.stem}
    if space is not None:
        complete["space"] = space
        if "space" in data:  # which its description may speak of
            complete["description"] = ""
    elif isinstance(named := data.get("space"), str):
        complete["space"] = load_space(named)
    elif isinstance(named, dict):
        complete["space"] = {"name": path.stem, **named}
    if "space" not in complete:
        raise DefinitionError(
            f"a study needs a search space; {path} names none. "
            "Available: --space NAME, or a line `space: NAME` in the file"
        )
    return validated(complete, StudyDefinition, str(path), DefinitionError, lines)


def space_for(*, image: bool) -> str:
    """The name of the space to begin with: that of images, or that of tables."""
    return "sgd_decay" if image else "mlp_table"
