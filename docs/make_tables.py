"""The tables of docs/*.md, made from what the code knows.

python docs/make_tables.py docs/*.md     (writes them between the files' markers)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tuner.data.sources import SOURCES
from tuner.embeddings import EMBEDDINGS
from tuner.optimizers import OPTIMIZERS
from tuner.parameters import ParameterInfo, word
from tuner.planning.metrics import ALL_TASKS, METRICS
from tuner.registry import summary
from tuner.schedules import SCHEDULES
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.draws import DRAWS
from tuner.study.named import Named
from tuner.study.pruners import PRUNERS
from tuner.study.samplers import SAMPLERS

#: Between these two lines a file has the table of that name.
BEGIN, END = "<!-- {name}: made by docs/make_tables.py -->", "<!-- end of {name} -->"


def parameter_table() -> str:
    """Every parameter of the catalogue as a Markdown table."""
    rows = [
        [
            f"`{info.name}`",
            _kind(info),
            _default(info),
            _allowed(info),
            _only_with(info),
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
            if key not in ("when", "default", "distribution")
        ]
        numbers = "whole numbers" if draw.kind == "int" else "fractions"
        rows.append([f"`{name}`", ", ".join(arguments), numbers])
    return markdown_table(["distribution", "arguments (defaults)", "draws"], rows)


def schedule_table() -> str:
    """Every schedule with its formula as a Markdown table."""
    rows = [
        [f"`{name}`", summary(kind), kind.formula, _named(kind.settings()), kind.keras]
        for name, kind in SCHEDULES.items()
    ]
    header = ["`schedule`", "what it is", "rate", "settings (defaults)", "Keras's name for it"]
    return markdown_table(header, rows)


def optimizer_table() -> str:
    """Every optimizer with Keras's defaults as a Markdown table."""
    rows = []
    for name, kind in OPTIMIZERS.items():
        settings = ", ".join(f"`{key}` {word(value)}" for key, value in kind.defaults().items())
        rows.append([f"`{name}`", summary(kind), settings, f"`keras.optimizers.{kind.__name__}`"])
    return markdown_table(
        ["`optimizer`", "what it is", "settings (Keras's defaults)", "class"], rows
    )


def embedding_table() -> str:
    """Every embedding with its defaults as a Markdown table."""
    rows = []
    for name, kind in EMBEDDINGS.items():
        settings = ", ".join(f"`{key}` {word(value)}" for key, value in kind.defaults().items())
        rows.append([f"`{name}`", summary(kind), settings])
    return markdown_table(["`embedding`", "what it is", "settings (defaults)"], rows)


def named_table(kinds: Mapping[str, type[Named]]) -> str:
    """Samplers or pruners with their settings and defaults as a Markdown table."""
    rows = [
        [f"`{name}`", kind.summary(), ", ".join(map(_setting, kind.settings().items()))]
        for name, kind in kinds.items()
    ]
    return markdown_table(["name", "what it is", "settings and defaults"], rows)


def metric_table() -> str:
    """The metrics as a Markdown table."""
    rows = []
    for info in METRICS.values():
        tasks = "all" if info.tasks == ALL_TASKS else ", ".join(info.tasks)
        rows.append([f"`{info.name}`", info.direction, tasks, info.help])
    return markdown_table(["metric", "direction", "tasks", "what it is"], rows)


def source_table() -> str:
    """The schemes of a URI as a Markdown table."""
    rows = []
    for name, source in SOURCES.items():
        network = "the first time" if source.downloads else "no"
        rows.append([f"`{name}:`", source.what, summary(source), network])
    return markdown_table(["scheme", "what stands behind it", "what it is", "network"], rows)


TABLES: dict[str, Callable[[], str]] = {
    "parameters": parameter_table,
    "distributions": distribution_table,
    "schedules": schedule_table,
    "optimizers": optimizer_table,
    "embeddings": embedding_table,
    "samplers": partial(named_table, SAMPLERS),
    "pruners": partial(named_table, PRUNERS),
    "metrics": metric_table,
    "sources": source_table,
}


def with_tables(text: str) -> str:
    """`text` with those of the tables that it has between markers made anew."""
    for name, make in TABLES.items():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        if begin in text:
            before, _, rest = text.partition(begin)
            text = f"{before}{begin}\n{make()}\n{end}{rest.partition(end)[2]}"
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
        return {"optimizer": "Keras's own", "embedding": "its kind's own"}.get(info.section, "none")
    return f"`{word(info.default)}`"


def _allowed(info: ParameterInfo) -> str:
    if info.choices:
        names = ", ".join(f"`{name}`" for name in info.choices)
        aliases = ", ".join(f"`{alias}` = `{name}`" for alias, name in info.aliases.items())
        return f"{names}; {aliases}" if aliases else names
    return info.bounds + (" (or text such as `64-32`)" if info.widths else "")


def _only_with(info: ParameterInfo) -> str:
    return "; ".join(
        f"`{parent}` {', '.join(f'`{name}`' for name in names)}"
        for parent, names in info.only_with.items()
    )


def _setting(item: tuple[str, Any]) -> str:
    name, default = item
    return f"`{name}`" if default is None else f"`{name}` {json.dumps(default)}".replace('"', "")


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown, without a line end."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    for file in map(Path, sys.argv[1:]):
        file.write_text(with_tables(file.read_text(encoding="utf-8")), encoding="utf-8")
