"""The tables of the documentation are those that docs/make_tables.py makes."""

from __future__ import annotations

import runpy

import pytest

from tests.support import ROOT
from tuner.data.sources import SOURCES
from tuner.optimizers import OPTIMIZERS
from tuner.planning.metrics import METRICS
from tuner.schedules import SCHEDULES
from tuner.spaces.catalogue import CATALOGUE
from tuner.study.pruners import PRUNERS
from tuner.study.samplers import SAMPLERS

with_tables = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))["with_tables"]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("spaces", [*CATALOGUE, *OPTIMIZERS]),
        ("schedules", [*SCHEDULES]),
        ("search", [*SAMPLERS, *PRUNERS]),
        ("metrics", [*METRICS]),
        ("data", [f"{name}:" for name in SOURCES]),
    ],
)
def test_the_documentation_is_current(page: str, names: list[str]) -> None:
    written = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert with_tables(written) == written, f"run: python docs/make_tables.py docs/{page}.md"
    assert [name for name in names if f"| `{name}` |" not in written] == []
