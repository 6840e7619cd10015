"""`tuner spaces`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tuner.cli.main import main
from tuner.spaces import list_spaces, space_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs a command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exit_:
            main(["spaces", *args])
        out, err = capsys.readouterr()
        return int(exit_.value.code or 0), out, err

    return run


def test_list(run):
    code, out, err = run("list")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["name", "source", "description"]
    assert [line.split()[0] for line in lines[1:]] == [entry.name for entry in list_spaces()]
    _, out, _ = run("list", "--format", "json")
    assert json.loads(out)[0] == {
        "name": "batch_epochs_init",
        "source": "shipped",
        "description": "Grid over batch size, epochs and initializer",
    }


def test_show(run):
    code, out, _ = run("show", "sgd_decay")
    assert code == 0
    assert out.startswith("sgd_decay: SGD with momentum")
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert rows["epochs"].split() == ["epochs", "int", "5", "..", "40", "36", "always"]
    assert "0.001 .. 1, log" in rows["optimizer.learning_rate"]
    assert "continuous" in rows["optimizer.learning_rate"]
    assert "no grid: a range is continuous" in out
    assert "grid of 8 points" in run("show", "initializers")[1]


def test_show_says_when_a_parameter_is_active(run):
    _, out, _ = run("show", "schedules", "--format", "json")
    shown = json.loads(out)
    assert shown["grid_points"] is None
    rows = {row["parameter"]: row for row in shown["params"]}
    assert rows["schedule.per"] == {
        "parameter": "schedule.per",
        "kind": "category",
        "form": "choices",
        "values": "step, epoch",
        "grid_points": 2,
        "default": None,
        "active_when": "schedule is exponential",
    }
    assert rows["schedule.restarts"]["active_when"] == "schedule is restarts"
    assert rows["epochs"]["active_when"] is None


def test_show_has_the_other_forms(run):
    rows = list(csv.DictReader(io.StringIO(run("show", "initializers", "--format", "csv")[1])))
    assert rows[0]["parameter"] == "initializer"
    assert rows[0]["grid_points"] == "8"
    data = YAML(typ="safe", pure=True).load(run("show", "initializers", "--format", "yaml")[1])
    assert data["grid_points"] == 8


def test_show_of_what_is_not_there(run):
    code, out, err = run("show", "sgd_decy")
    assert (code, out) == (2, "")
    assert err.startswith("error: unknown search space 'sgd_decy'; did you mean sgd_decay?")


def test_validate_says_yes(run):
    code, out, _ = run("validate", "sgd_decay", str(ROOT / "search_spaces" / "optimizers.yaml"))
    assert code == 0
    lines = out.splitlines()
    assert lines[0].endswith("sgd_decay.yaml: valid, 11 parameters, 7 vary")
    assert lines[1].endswith("optimizers.yaml: valid, 26 parameters, 22 vary")


def test_validate_prints_every_error_of_every_file(run, tmp_path):
    (tmp_path / "good.yaml").write_text("params: {epochs: 3}\n")
    (tmp_path / "bad.yaml").write_text(
        "params:\n  epocs: 3\n  epochs: {low: 9, high: 3}\n  optimizer.learning_rate: -1\n"
    )
    (tmp_path / "broken.yaml").write_text("params: [\n")
    code, out, err = run("validate", "bad.yaml", "good.yaml", "broken.yaml", "missing.yaml")
    assert (code, err) == (2, "")
    lines = out.splitlines()
    assert lines[0] == "bad.yaml: 3 errors"
    assert lines[1].startswith("  bad.yaml:2: params.epocs: unknown parameter 'epocs'; did you")
    assert lines[2] == "  bad.yaml:3: params.epochs: low must not be above high; got low 9, high 3"
    assert lines[3] == "  bad.yaml:4: params.optimizer.learning_rate: must be above 0; got -1"
    assert lines[4] == "good.yaml: valid, 1 parameters, 0 vary"
    assert lines[5] == "broken.yaml: 1 error"
    assert lines[6].startswith("  broken.yaml:2: not valid YAML")
    assert lines[7] == "missing.yaml: 1 error"
    assert lines[8] == "  missing.yaml: cannot be read: it does not exist"


def test_validate_as_json(run, tmp_path):
    (tmp_path / "bad.yaml").write_text("params:\n  epochs: 0\n")
    code, out, _ = run("validate", "bad.yaml", "--format", "json")
    assert code == 2
    assert json.loads(out) == [
        {
            "file": "bad.yaml",
            "valid": False,
            "params": None,
            "vary": None,
            "errors": [
                {
                    "line": 2,
                    "field": "params.epochs",
                    "rule": "must be at least 1, at most 100000; got 0",
                    "text": "bad.yaml:2: params.epochs: must be at least 1, at most 100000; got 0",
                }
            ],
        }
    ]


def test_validate_needs_a_file(run):
    code, _, err = run("validate")
    assert code == 2
    assert "FILES" in err


@pytest.mark.slow
def test_schema_is_json_whatever_the_table_would_be(run):
    code, out, _ = run("schema")
    assert code == 0
    assert json.loads(out) == space_schema()
    assert YAML(typ="safe", pure=True).load(run("schema", "--format", "yaml")[1]) == space_schema()
