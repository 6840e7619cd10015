"""The tables of samplers, pruners, metrics and data sources in the documentation are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.data.sources import SOURCES
from tuner.planning.metrics import METRICS
from tuner.study.pruners import PRUNERS
from tuner.study.reference import with_tables
from tuner.study.samplers import SAMPLERS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("file", "rows"),
    [
        ("search.md", [f"| `{name}` |" for name in (*SAMPLERS, *PRUNERS)]),
        ("metrics.md", [f"| `{name}` |" for name in METRICS]),
        ("data.md", [f"| `{name}:` |" for name in SOURCES]),
    ],
)
def test_the_documentation_is_current(file: str, rows: list[str]) -> None:
    written = (DOCS / file).read_text(encoding="utf-8")
    assert with_tables(written) == written, f"run: python -m tuner.study.reference docs/{file}"
    assert [row for row in rows if row not in written] == []
