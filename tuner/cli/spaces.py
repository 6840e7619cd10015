"""`tuner spaces`: list, show and check search spaces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.output import (
    cell,
    columns_of,
    current_format,
    emit,
    format_option,
    without_secrets,
)
from tuner.cli.refusals import Commands
from tuner.errors import SpaceError
from tuner.text import counted

if TYPE_CHECKING:
    from tuner.spaces import Space


@click.group(cls=Commands)
def spaces() -> None:
    """List, show and check search spaces."""


@spaces.command("list")
@format_option
def list_command() -> None:
    """Every space that --space finds by name: those in ./search_spaces, then those that ship."""
    from tuner.spaces import list_spaces

    names = ("name", "source", "description")
    emit([{name: getattr(entry, name) for name in names} for entry in list_spaces()])


@spaces.command("show")
@click.argument("name")
@format_option
def show_command(name: str) -> None:
    """The parameters of a space: kinds, ranges, and the number of points in a grid.

    NAME is a space's name or a file.
    """
    from tuner.spaces import load_space

    space = load_space(name)
    rows = [parameter_row(space, parameter) for parameter in space.params]
    if current_format() == "csv":
        emit(rows)
        return
    data = {
        "name": space.name,
        "version": space.version,
        "description": space.description,
        "grid_points": space.size(),
        "params": rows,
        "regression": {name: item.describe() for name, item in space.regression.items()},
    }
    emit(data, table=lambda: space_table(space, rows))


@spaces.command("validate")
@click.argument("files", nargs=-1, required=True)
@format_option
@click.pass_context
def validate_command(ctx: click.Context, files: tuple[str, ...]) -> None:
    """Check files (or spaces by name): one line each, and every error of a file at once.

    Exit code 2 when any is not valid.
    """
    rows = [check_file(file) for file in files]
    lines = []
    for row in rows:
        if row["valid"]:
            lines.append(f"{row['file']}: valid, {row['params']} parameters, {row['vary']} vary")
        else:
            lines.append(f"{row['file']}: {counted(len(row['errors']), 'error')}")
            lines += [f"  {error['text']}" for error in row["errors"]]
    emit(rows, table=lambda: "\n".join(lines))
    if not all(row["valid"] for row in rows):
        ctx.exit(2)


@spaces.command("schema")
@format_option
def schema_command() -> None:
    """The JSON Schema of space files, for editors that complete and check them."""
    from tuner.spaces import space_schema

    emit(space_schema(), form="yaml" if current_format() == "yaml" else "json")


def parameter_row(space: Space, name: str) -> dict[str, Any]:
    """One line of `tuner spaces show`."""
    from tuner.spaces.parameter import Varying

    parameter = space.params[name]
    points = parameter.points()
    return {
        "parameter": name,
        "kind": space.info(name).kind,
        "form": type(parameter).__name__.lower(),
        "values": parameter.describe(),
        "default": parameter.default if isinstance(parameter, Varying) else None,
        "grid_points": None if points is None else len(points),
        "active_when": condition_words(space, name),
    }


def condition_words(space: Space, name: str) -> str | None:
    """What has to hold for a parameter to be part of a trial; None: nothing."""
    from tuner.parameters import word

    words = [
        f"{condition.parent} is {' or '.join(word(value) for value in possible)}"
        for condition in space.conditions.get(name, ())
        if (possible := space.possible(condition))
    ]
    return " and ".join(words) or None


def space_table(space: Space, rows: list[dict[str, Any]]) -> str:
    """The `table` form of `tuner spaces show`."""
    names = ["parameter", "kind", "values", "default", "grid_points", "active_when"]
    if all(row["default"] is None for row in rows):
        names.remove("default")
    header = [name.replace("_", " ") for name in names]
    absent = {"grid_points": "continuous", "active_when": "always"}
    cells = [[cell(row[name], absent.get(name, "")) for name in names] for row in rows]
    points = space.size()
    grid = "no grid: a range is continuous" if points is None else f"grid of {points} points"
    head = f"{space.name}: {space.description}" if space.description else space.name
    other = [f"{name}: {parameter.describe()}" for name, parameter in space.regression.items()]
    more = f"\n\nof a regression: {', '.join(other)}" if other else ""
    return f"{head}\n{grid}\n\n{columns_of(header, cells)}{more}"


def check_file(file: str) -> dict[str, Any]:
    """One file of `tuner spaces validate`."""
    from tuner.spaces.library import check_space, find_space

    try:
        path = find_space(file)
        space, problems = check_space(Path(path))
    except SpaceError as error:
        rule = without_secrets(str(error))
        wrong = {"line": None, "field": "", "rule": rule, "text": rule}
        file = without_secrets(file)
        return {"file": file, "valid": False, "params": None, "vary": None, "errors": [wrong]}
    errors = [{"line": p.line, "field": p.field, "rule": p.text, "text": str(p)} for p in problems]
    return {
        "file": str(path),
        "valid": space is not None,
        "params": None if space is None else len(space.params),
        "vary": None if space is None else sum(p.varies for p in space.params.values()),
        "errors": errors,
    }
