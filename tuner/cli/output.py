"""All that a command prints: data to stdout in the form of `--format`, words to stderr."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import click

from tuner.cli.refusals import OneOf
from tuner.masking import hide_all
from tuner.text import json_ready, printable, value_text

OutputFormat = Literal["table", "json", "yaml", "csv"]
FORMATS: tuple[OutputFormat, ...] = ("table", "json", "yaml", "csv")

#: What may hold secrets: see `remember_given`.
_given: list[str] = []


def _remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(dict)["format"] = value


#: `--format`, accepted behind the command as well as before it.
format_option = click.option(
    "--format",
    type=OneOf(FORMATS),
    expose_value=False,
    callback=_remember,
    help="Form of the data on stdout.",
)


def current_format() -> OutputFormat:
    ctx = click.get_current_context()
    form: OutputFormat = (ctx.find_object(dict) or {}).get("format", "table")
    return form


def emit(
    data: Any, *, table: Callable[[], str] | None = None, form: OutputFormat | None = None
) -> None:
    """Print `data` (a mapping, or a sequence of mappings) in `form`, else the current format.

    `table` makes the text of the `table` format; without it rows are aligned in columns.
    """
    form = form or current_format()
    text = table() if form == "table" and table is not None else render(data, form)
    click.echo(printable(text, keep="\n\t"))


def tell(text: str) -> None:
    """Print a line to stderr: see `fit_to_tell`."""
    click.echo(fit_to_tell(text), err=True)


def fit_to_tell(text: str) -> str:
    """`text` without what is secret of the URLs that the command was given, and fit for a
    terminal whoever wrote it."""
    return printable(without_secrets(text), keep="\n\t")


def without_secrets(text: str) -> str:
    """`text` without what is secret of the URLs that the command was given."""
    return hide_all(text, _given)


def remember_given(args: Sequence[str]) -> None:
    """The arguments of this command, and what the environment adds, may hold secrets."""
    named = (os.environ.get(name, "") for name in ("TUNER_STORAGE", "OPTUNA_STORAGE"))
    values = (own.partition("=")[2] if own.startswith("--") else own for own in args)
    _given[:] = [*values, *named]


def render(data: Any, form: OutputFormat) -> str:
    """`data` as text in one of the four forms."""
    data = json_ready(data)
    if form == "json":
        text = json.dumps(data, indent=2, ensure_ascii=False)
        return re.sub(r"[^\n -~]", _json_escaped, text)
    if form == "yaml":
        from ruamel.yaml import YAML

        buffer = io.StringIO()
        YAML(typ="safe", pure=True).dump(data, buffer)
        return buffer.getvalue().rstrip("\n")
    rows = [data] if isinstance(data, dict) else list(data)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if form == "csv":
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[_exact(row.get(key)) for key in columns] for row in rows])
        return buffer.getvalue().rstrip("\n")
    return columns_of(columns, [[cell(row.get(key), "-") for key in columns] for row in rows])


def _json_escaped(found: re.Match[str]) -> str:
    """What cannot be printed, as JSON escapes it."""
    return found[0] if printable(found[0]) == found[0] else json.dumps(found[0])[1:-1]


def cell(value: Any, missing: str) -> str:
    """One value as the text of a table cell; floats with 6 significant digits."""
    if value is None:
        return missing
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value_text(value)


def _exact(value: Any) -> str:
    """One value of a CSV file, to be read by programs: floats with all their digits."""
    return repr(value) if isinstance(value, float) else cell(value, "")


def columns_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two spaces apart."""
    table = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(header))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in table]
    return "\n".join(line.rstrip() for line in lines)


def params_table(params: Mapping[str, Any]) -> str:
    """A trial's parameters, one a line."""
    return columns_of(
        ["parameter", "value"], [[key, value_text(own)] for key, own in params.items()]
    )
