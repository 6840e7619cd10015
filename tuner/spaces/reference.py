"""The tables of docs/spaces.md and docs/schedules.md, made from what the code knows.

python -m tuner.spaces.reference docs/spaces.md docs/schedules.md

writes them between the markers of the files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tuner.optimizers import OPTIMIZERS
from tuner.parameters.info import ParameterInfo
from tuner.parameters.words import word
from tuner.schedules import SCHEDULES
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.draws import DRAWS

#: Between these two lines a file has the table of that name.
BEGIN, END = "<!-- {name}: made by {maker} -->", "<!-- end of {name} -->"


def parameter_table() -> str:
    """Every parameter of the catalogue as a Markdown table."""
    rows = [
        [
            f"`{info.name}`",
            _kind(info),
            _default(info),
            _allowed(info),
            _settings(info),
            info.help,
        ]
        for info in CATALOGUE.values()
    ]
    return markdown_table(
        ["parameter", "kind", "default", "allowed", "only with", "what it is"], rows
    )


def distribution_table() -> str:
    """Every distribution with its arguments as a Markdown table."""
    rows = []
    for name, draw in DRAWS.items():
        arguments = [
            f"`{key}`" if field.is_required() else f"`{key}` ({field.default})"
            for key, field in draw.model_fields.items()
            if key not in ("when", "distribution")
        ]
        numbers = "whole numbers" if draw.kind == "int" else "fractions"
        rows.append([f"`{name}`", ", ".join(arguments), numbers])
    return markdown_table(["distribution", "arguments (defaults)", "draws"], rows)


def schedule_table() -> str:
    """Every schedule with its formula as a Markdown table."""
    rows = [
        [f"`{name}`", kind.help, kind.formula, _named(kind.settings()), kind.keras]
        for name, kind in SCHEDULES.items()
    ]
    header = ["`schedule`", "what it is", "rate", "settings (defaults)", "Keras's name for it"]
    return markdown_table(header, rows)


def optimizer_table() -> str:
    """Every optimizer with Keras's defaults as a Markdown table."""
    rows = []
    for name, kind in OPTIMIZERS.items():
        settings = ", ".join(f"`{key}` {word(value)}" for key, value in kind.defaults().items())
        rows.append([f"`{name}`", kind.help, settings, f"`keras.optimizers.{kind.__name__}`"])
    return markdown_table(
        ["`optimizer`", "what it is", "settings (Keras's defaults)", "class"], rows
    )


TABLES = {
    "parameters": parameter_table,
    "distributions": distribution_table,
    "schedules": schedule_table,
    "optimizers": optimizer_table,
}


def with_tables(
    text: str,
    tables: Mapping[str, Callable[[], str]] = TABLES,
    maker: str = "tuner.spaces.reference",
) -> str:
    """`text` with those of the tables that it has between markers made anew."""
    for name, make in tables.items():
        begin, end = BEGIN.format(name=name, maker=maker), END.format(name=name)
        if begin not in text:
            continue
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{make()}\n{end}{after}"
    return text


def _named(settings: Mapping[str, ParameterInfo]) -> str:
    return ", ".join(
        f"`{name}`" + ("" if info.default is None else f" {word(info.default)}")
        for name, info in settings.items()
    )


def _kind(info: ParameterInfo) -> str:
    if info.many:
        return "list of numbers"
    words = {"float": "number", "int": "whole number", "bool": "true or false", "category": "name"}
    return words[info.kind] + (" or widths" if info.widths else "")


def _default(info: ParameterInfo) -> str:
    if info.default is None:
        return "Keras's own" if info.section == "optimizer" else "none"
    return f"`{word(info.default)}`"


def _allowed(info: ParameterInfo) -> str:
    if info.choices:
        names = ", ".join(f"`{name}`" for name in info.choices)
        aliases = ", ".join(f"`{alias}` = `{name}`" for alias, name in info.aliases.items())
        return f"{names}; {aliases}" if aliases else names
    return info.bounds + (" (or text such as `64-32`)" if info.widths else "")


def _settings(info: ParameterInfo) -> str:
    return "; ".join(
        f"`{parent}` {', '.join(f'`{name}`' for name in names)}"
        for parent, names in info.only_with.items()
    )


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown, without a line end."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    for file in map(Path, sys.argv[1:]):
        file.write_text(with_tables(file.read_text(encoding="utf-8")), encoding="utf-8")
