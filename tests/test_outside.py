"""A package installed beside tuner brings kinds of its own, and every command knows them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: What `pip install` of the other package would put on the path.
OUTSIDE = ROOT / "tests" / "support" / "outside"
TUNER = ("-m", "tuner.cli.main")
TABLES = str(ROOT / "docs" / "make_tables.py")

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`python ARGUMENTS...` in an empty folder, beside the other package: its stdout; `code`: the
    exit code that is expected, with which stderr comes too."""

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(OUTSIDE)])},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + (done.stderr if code else "")

    return run


def space(folder: Path, params: str) -> str:
    file = folder / "outside.yaml"
    file.write_text(f"params:\n  {params}\n", encoding="utf-8")
    return str(file)


SAWTOOTH = """schedule: {choices: [constant, sawtooth]}
  schedule.teeth: {low: 2, high: 3}
  schedule.warmup: 1
  optimizer: sgd
  optimizer.learning_rate: 0.1
  epochs: 5
  model.units: 4"""


def test_the_schema_knows_a_schedule_its_settings_and_bounds(run: Run) -> None:
    schema = json.loads(run(*TUNER, "spaces", "schema"))
    params = schema["properties"]["params"]["properties"]
    assert {"enum"} == set(params["schedule"]["anyOf"][0])
    assert params["schedule"]["anyOf"][0]["enum"][-1] == "sawtooth"
    assert "sawtooth: Down a straight line, again and again." in params["schedule"]["description"]
    assert params["schedule.teeth"]["anyOf"][0] == {"type": "integer", "minimum": 1}
    assert params["schedule.teeth"]["default"] == 5
    depth = params["schedule.depth"]
    bounds = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    assert depth["anyOf"][0] == bounds
    assert depth["description"] == "How far a tooth falls. Only with schedule sawtooth."


def test_the_tables_of_the_documentation_know_a_schedule(run: Run, tmp_path: Path) -> None:
    for page in ("spaces.md", "schedules.md"):
        shutil.copy(ROOT / "docs" / page, tmp_path)
    run(TABLES, "spaces.md", "schedules.md")
    spaces = (tmp_path / "spaces.md").read_text(encoding="utf-8")
    assert (
        "| `schedule.teeth` | whole number | `5` | at least 1 | `schedule` `sawtooth` | "
        "Epochs of one tooth. |" in spaces
    )
    schedules = (tmp_path / "schedules.md").read_text(encoding="utf-8")
    assert (
        "| `sawtooth` | Down a straight line, again and again. | "
        "lr0 · (1 − depth · (e mod teeth) / teeth) | `teeth` 5, `depth` 0.9 |  |" in schedules
    )


def test_a_space_is_checked_by_a_schedules_bounds(run: Run, tmp_path: Path) -> None:
    right = space(tmp_path, SAWTOOTH)
    assert "valid, 7 parameters, 2 vary" in run(*TUNER, "spaces", "validate", right)
    shown = run(*TUNER, "spaces", "show", right)
    assert "schedule is sawtooth" in shown
    wrong = space(tmp_path, SAWTOOTH.replace("low: 2", "low: 0"))
    assert "schedule.teeth.low: must be at least 1; got 0" in run(
        *TUNER, "spaces", "validate", wrong, code=2
    )


@pytest.mark.slow
def test_a_schedule_trains(run: Run, tmp_path: Path) -> None:
    storage = ["--storage", f"sqlite:///{tmp_path}/studies.db", "--format", "json"]
    run(
        *TUNER, "optimize", "--space", space(tmp_path, SAWTOOTH), "--data",
        "sklearn:iris", "--folds", "2", "--trials", "3", "--sampler", "grid", "--pruner", "none",
        "--workers", "1", "--name", "outside", *storage,
    )  # fmt: skip
    trials = json.loads(run(*TUNER, "results", "outside", *storage))
    teeth = {
        trial["params"]["schedule.teeth"]: trial["number"]
        for trial in trials
        if trial["params"]["schedule"] == "sawtooth"
    }
    assert set(teeth) == {2, 3}
    for length, number in teeth.items():
        epochs = json.loads(run(*TUNER, "results", "outside", "--trial", str(number), *storage))
        rates = [epoch["learning_rate"] for epoch in epochs]
        expected = [0.1 * (1 - 0.9 * (epoch % length) / length) for epoch in range(4)]
        assert rates[1:] == pytest.approx(expected)


def test_the_tables_of_the_documentation_know_a_sampler_a_pruner_and_a_source(
    run: Run, tmp_path: Path
) -> None:
    for page in ("search.md", "data.md"):
        shutil.copy(ROOT / "docs" / page, tmp_path)
    run(TABLES, "search.md", "data.md")
    search, data = ((tmp_path / page).read_text("utf-8") for page in ("search.md", "data.md"))
    assert (
        "| `nsga3` | Optuna's NSGAIIISampler: a genetic algorithm with reference points. | "
        "`population_size` 20 |" in search
    )
    assert "| `deadline` | Stops every trial after `last` epochs. | `last` 2 |" in search
    assert (
        "| `spirals:` | ROWS of two spirals | Points of two spirals that wind around each other. |"
        in data
    )


@pytest.mark.slow
def test_the_help_and_the_refusals_know_a_sampler_a_pruner_and_a_source(run: Run) -> None:
    for command in ("optimize", "plan"):
        text = " ".join(run(*TUNER, command, "--help").split())
        assert "or nsga3" in text
        assert "or deadline" in text
    flags = [*TUNER, "plan", "--space", "sgd_decay", "--data", "sklearn:iris"]
    assert "did you mean nsga3?" in run(*flags, "--sampler", "nsga33", code=2)
    assert "did you mean deadline?" in run(*flags, "--pruner", "dead-line", code=2)
    assert "spirals: (ROWS of two spirals)" in run(*TUNER, "data", "show", "x", code=2)
    assert "or spirals:ROWS." in " ".join(run(*TUNER, "data", "show", "-h").split())
    assert "rows       60" in run(*TUNER, "data", "show", "spirals:60")


STUDY = """space:
  params: {optimizer: sgd, optimizer.learning_rate: {low: 0.01, high: 0.1}, epochs: 4}
data: {uri: "spirals:60"}
sampler: {name: nsga3, population_size: 4}
pruner: {name: patient, patience: 0, wrapped: deadline}
"""


@pytest.mark.slow
def test_a_definition_holds_a_sampler_and_a_pruner_and_names_their_wrong_settings(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY, encoding="utf-8")
    planned = run(*TUNER, "plan", "--study", "study.yaml", "--trials", "3")
    assert "search   nsga3, pruner patient" in planned
    for right, wrong, told in (
        (
            "size: 4",
            "size: 1",
            "sampler.population_size: must be greater than or equal to 2; got 1",
        ),
        ("wrapped: deadline", "wrapped: {name: deadline, end: 3}", "pruner.wrapped.end: unknown"),
    ):
        file.write_text(STUDY.replace(right, wrong), encoding="utf-8")
        assert told in run(*TUNER, "plan", "--study", "study.yaml", code=2)


@pytest.mark.slow
def test_a_search_runs_with_a_sampler_a_pruner_and_a_source(run: Run, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    storage = ["--storage", f"sqlite:///{tmp_path}/studies.db", "--format", "json"]
    run(
        *TUNER, "optimize", "--study", "study.yaml", "--pruner", "deadline",
        "--folds", "2", "--trials", "3", "--workers", "1", "--name", "outside", *storage, code=3,
    )  # fmt: skip
    shown = json.loads(run(*TUNER, "studies", "show", "outside", *storage))
    assert shown["definition"]["sampler"] == {"name": "nsga3", "population_size": 4}
    assert shown["definition"]["pruner"] == {"name": "deadline", "last": 2}
    told = run(*TUNER, "results", "outside", *storage, code=3)
    assert "3 trials: pruned by deadline after epoch 2 of 4" in told
