"""The tables of docs/search.md, docs/metrics.md and docs/data.md, made from what they list.

python -m tuner.study.reference docs/search.md ...     (writes them between the files' markers)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tuner.data.sources import SOURCES
from tuner.planning.metrics import ALL_TASKS, METRICS
from tuner.registry import summary
from tuner.spaces import reference
from tuner.spaces.reference import markdown_table
from tuner.study.named import Named
from tuner.study.pruners import PRUNERS
from tuner.study.samplers import SAMPLERS


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
    "samplers": partial(named_table, SAMPLERS),
    "pruners": partial(named_table, PRUNERS),
    "metrics": metric_table,
    "sources": source_table,
}


def with_tables(text: str) -> str:
    """`text` with those of the tables that it has between markers made anew."""
    return reference.with_tables(text, TABLES, "tuner.study.reference")


def _setting(item: tuple[str, Any]) -> str:
    name, default = item
    return f"`{name}`" if default is None else f"`{name}` {json.dumps(default)}".replace('"', "")


if __name__ == "__main__":
    for file in map(Path, sys.argv[1:]):
        file.write_text(with_tables(file.read_text(encoding="utf-8")), encoding="utf-8")
