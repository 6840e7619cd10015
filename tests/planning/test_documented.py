"""The tables of docs/schedules.md and of losses in docs/metrics.md say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tuner.planning import plan_training
from tuner.planning.losses import LOSSES
from tuner.schedules import SCHEDULES
from tuner.spaces.catalogue import CATALOGUE

DOCS = Path(__file__).resolve().parents[2] / "docs"


def rows_under(heading: str, file: str) -> list[list[str]]:
    """The cells of the body of the table whose header begins with the cell `heading`."""
    text = (DOCS / file).read_text(encoding="utf-8")
    table = re.search(rf"^\| {heading} \|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table, f"no table under {heading} in {file}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_table_of_losses() -> None:
    documented = {task: tuple(quoted(cell)) for task, cell in rows_under("task", "metrics.md")}
    assert documented == dict(LOSSES)


def test_the_table_of_schedules() -> None:
    rows = rows_under("`schedule`", "schedules.md")
    assert [quoted(row[0])[0] for row in rows] == list(SCHEDULES)
    for name, _, _, settings, _ in rows:
        made = SCHEDULES[quoted(name)[0]]
        assert set(quoted(settings)) == set(made.settings())
        for setting, default in re.findall(r"`(\w+)` ([\w.]+)", settings):
            assert str(CATALOGUE[f"schedule.{setting}"].default) in (default, f"{default}.0")


def test_the_table_of_rates() -> None:
    header = (0, 1, 2, 5, 9, 10, 15, 19)
    for first, *cells in rows_under("schedule", "schedules.md"):
        params: dict[str, str | int | float | list[float] | list[int] | None] = {
            "optimizer.learning_rate": 1.0,
            "schedule": quoted(first)[0],
        }
        if extra := re.search(r"(\w+) (\d+)$", first):
            params[f"schedule.{extra[1]}"] = int(extra[2])
        if params["schedule"] == "piecewise":
            params |= {"schedule.boundaries": [10, 15], "schedule.factors": [0.5, 0.1]}
        plan = plan_training(params, features=4, outputs=1, task="binary")
        table = plan.schedule.rates(45, 20)
        expected = [*table[np.array(header) * 45], table[-1]]
        assert [float(cell) for cell in cells] == pytest.approx(expected, abs=6e-4), first
