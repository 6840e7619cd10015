"""`tuner results`, `tuner best` and `tuner serve` on a study that the search itself has made."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from ruamel.yaml import YAML

from tests.support.fake_trainer import FakeTrainer
from tuner.cli.main import main
from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.study.data import DataFacts
from tuner.study.definition import definition_of

SPACE = {
    "name": "rates",
    "params": {
        "optimizer": "sgd",
        "optimizer.learning_rate": {"low": 1e-4, "high": 1.0, "log": True},
        "initializer": {"choices": ["glorot_uniform", "he_normal"]},
        "epochs": 6,
    },
}


def search(storage: str, name: str = "rates", trials: int = 8, **changes: Any) -> None:
    """A whole search with a trainer that needs no TensorFlow."""
    definition = definition_of({"space": SPACE, "seed": 1, **changes}, "a test")
    prepare_study(
        definition,
        name=name,
        storage_url=storage,
        trials=trials,
        describe=lambda _: DataFacts("fake", "multiclass"),
    )
    if trials:
        run_worker(
            storage,
            name,
            stop=lambda: False,
            on_event=lambda event: None,
            make_trainer=lambda _: FakeTrainer(
                diverge=lambda p: p["optimizer.learning_rate"] > 0.5  # type: ignore[operator]
            ),
        )


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('storage') / 'tuner.db'}"
    search(url)
    return url


@pytest.fixture(scope="module")
def study(storage: str) -> optuna.Study:
    return optuna.load_study(study_name="rates", storage=storage)


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_json_has_the_documented_keys_in_trial_order(capsys, storage, study):
    code, out, err = run(capsys, "results", "rates", "--storage", storage, "--format", "json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert list(rows[0]) == [
        "number",
        "state",
        "params",
        "mean_test_score",
        "std_test_score",
        "rank_test_score",
        "split_test_scores",
        "epochs_run",
        "duration_s",
        "cause",
    ]
    assert [row["number"] for row in rows] == list(range(8))
    for row, trial in zip(rows, study.trials, strict=True):
        assert row["params"] == trial.params
        assert row["state"] == {"COMPLETE": "complete", "PRUNED": "pruned"}[trial.state.name]
        if row["state"] == "complete":
            assert row["mean_test_score"] == trial.value
            assert len(row["split_test_scores"]) == 3
        else:
            assert row["mean_test_score"] is None
            assert row["cause"]


def test_the_table_is_best_first(capsys, storage, study):
    code, out, _ = run(capsys, "results", "rates", "--storage", storage)
    lines = out.splitlines()
    assert code == 0
    header = lines[0].split()
    assert header[:7] == ["rank", "trial", "state", "mean", "std", "ran", "seconds"]
    assert "optimizer.learning_rate" in header
    assert lines[1].split()[:2] == ["1", str(study.best_trial.number)]
    means = [line.split()[3] for line in lines[1:] if line.split()[2] == "complete"]
    assert means == sorted(means, reverse=True)
    assert f"{study.best_value:.4f}" == means[0]


def test_csv_has_scikit_learns_columns(capsys, storage, study):
    code, out, _ = run(capsys, "results", "rates", "--storage", storage, "--format", "csv")
    frame = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert len(frame) == 8
    best = frame[frame["rank_test_score"] == 1].iloc[0]
    assert best["number"] == study.best_trial.number
    folds = [best[f"split{fold}_test_score"] for fold in range(3)]
    assert sum(folds) / 3 == pytest.approx(best["mean_test_score"], rel=1e-5)
    assert best["param_initializer"] == study.best_params["initializer"]


def test_yaml_and_filters(capsys, storage):
    args = ("results", "rates", "--storage", storage, "--top", "2", "--format", "yaml")
    _, out, _ = run(capsys, *args)
    assert [row["rank_test_score"] for row in YAML(typ="safe", pure=True).load(out)] == [1, 2]
    args = ("results", "rates", "--storage", storage, "--state", "complete", "--format", "json")
    _, out, _ = run(capsys, *args)
    assert {row["state"] for row in json.loads(out)} == {"complete"}
    code, _, err = run(capsys, "results", "rates", "--storage", storage, "--state", "done")
    assert code == 2
    assert "unknown state 'done'" in err


def test_one_trials_curves(capsys, storage, study):
    number = str(study.best_trial.number)
    args = ("results", "rates", "--storage", storage, "--trial", number)
    _, out, _ = run(capsys, *args, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 6
    reported = list(study.best_trial.intermediate_values.values())
    assert [float(row["val_accuracy"]) for row in rows] == pytest.approx(reported, rel=1e-5)
    assert "split2_val_accuracy" in rows[0]
    _, out, _ = run(capsys, *args)
    assert out.split()[:5] == ["epoch", "learning_rate", "seconds", "loss", "val_loss"]
    assert "split" not in out
    code, _, err = run(capsys, *args, "--top", "3")
    assert code == 2
    assert "choose among trials" in err
    code, _, err = run(capsys, "results", "rates", "--storage", storage, "--trial", "99")
    assert code == 2
    assert "received 99. Available: 0 to 7" in err


def test_best(capsys, storage, study):
    code, out, _ = run(capsys, "best", "rates", "--storage", storage, "--format", "json")
    assert code == 0
    found = json.loads(out)
    assert list(found) == ["number", "params", "value", "fold_scores"]
    assert found["number"] == study.best_trial.number
    assert found["value"] == study.best_value
    assert found["params"] == study.best_params
    _, out, _ = run(capsys, "best", "rates", "--storage", storage)
    assert out.startswith(f"trial {found['number']}: accuracy {found['value']:.4f} (folds: ")
    assert "optimizer.learning_rate" in out
    folds = len(found["fold_scores"])
    more = f"its {folds} fold networks as one model: tuner export rates --out DIR --ensemble folds"
    assert out.splitlines()[-1] == more


@pytest.mark.parametrize("command", ["results", "best", "serve"])
def test_an_unknown_study_is_answered_with_the_nearest(capsys, storage, command):
    code, out, err = run(capsys, command, "rate", "--storage", storage)
    assert (code, out) == (2, "")
    assert "unknown study 'rate'; did you mean rates?" in err


@pytest.mark.parametrize("command", ["results", "best", "serve"])
def test_a_storage_that_is_not_there_is_not_made(capsys, tmp_path, command):
    code, _, err = run(capsys, command, "rates", "--storage", f"sqlite:///{tmp_path}/no/where.db")
    assert code == 4
    assert "where.db" in err
    assert list(tmp_path.iterdir()) == []


def test_no_completed_trial_is_exit_code_3(capsys, tmp_path):
    url = f"sqlite:///{tmp_path}/tuner.db"
    definition = definition_of({"space": SPACE}, "a test")
    prepare_study(
        definition,
        name="fresh",
        storage_url=url,
        trials=2,
        describe=lambda _: DataFacts("fake", "multiclass"),
    )
    for command in ("results", "best"):
        code, out, err = run(capsys, command, "fresh", "--storage", url, "--format", "json")
        assert code == 3
        assert "it holds 2 waiting" in err
        assert "tuner resume fresh" in err
        assert out == "" or len(json.loads(out)) == 2


def test_a_study_of_several_objectives_is_refused(capsys, tmp_path):
    url = f"sqlite:///{tmp_path}/tuner.db"
    optuna.create_study(storage=url, study_name="two", directions=["minimize", "maximize"])
    for command in ("results", "best"):
        code, _, err = run(capsys, command, "two", "--storage", url)
        assert code == 2
        assert "one objective" in err


def test_serving_to_others_needs_a_password(capsys, storage, monkeypatch, tmp_path):
    monkeypatch.delenv("TUNER_PASSWORD", raising=False)
    args = ("serve", "--storage", storage, "--host", "0.0.0.0", "--port", "0")
    code, _, err = run(capsys, *args)
    assert code == 2
    assert "needs a password; received --host 0.0.0.0" in err
    (tmp_path / "short").write_text("abc\n")
    code, _, err = run(capsys, *args, "--password-file", str(tmp_path / "short"))
    assert code == 2
    assert "at least 8 characters" in err
    monkeypatch.setenv("TUNER_PASSWORD", "")
    code, _, err = run(capsys, *args)
    assert code == 2
    assert "TUNER_PASSWORD has 0" in err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_serve_names_the_page_answers_and_ends_with_success(storage):
    """As a user runs it: a process, its address on stderr, Ctrl-C."""
    command = ["serve", "rates", "--storage", storage, "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner.cli.main", *command],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stderr.readline()
        address = line.split()[0]
        assert address.endswith("/dashboard/studies/1"), line + process.stderr.read()
        assert "(read-only)" in line
        with urllib.request.urlopen(address, timeout=30) as response:
            assert b"<html" in response.read()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert out == ""
        assert "Traceback" not in err
    finally:
        process.kill()
