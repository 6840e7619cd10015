"""`tuner export` and `tuner predict` on a study that the search itself has made, with Keras."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tuner.cli.main import main
from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.study.definition import definition_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three candidates on 600 digits, 150 of them test rows."""
    folder = tmp_path_factory.mktemp("storage")
    url = f"sqlite:///{folder / 'tuner.db'}"
    images = load_digits()
    order = np.random.default_rng(0).permutation(1797)
    np.savez(
        folder / "digits.npz",
        x_train=images.images[order[:450]].astype(np.uint8),
        y_train=images.target[order[:450]],
        x_test=images.images[order[450:600]].astype(np.uint8),
        y_test=images.target[order[450:600]],
    )
    definition = definition_of(
        {
            "space": {
                "name": "small",
                "params": {
                    "optimizer.learning_rate": {"choices": [0.003, 0.01]},
                    "model.units": "32",
                    "epochs": 15,
                },
            },
            "data": {"uri": f"npz:{folder / 'digits.npz'}"},
            "folds": {"k": 3},
            "pruner": "none",
        },
        "a test",
    )
    prepare_study(definition, name="small", storage_url=url, trials=2)
    run_worker(url, "small", stop=lambda: False, on_event=lambda event: None)
    return url


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def export(capsys: pytest.CaptureFixture[str], storage: str, *args: str) -> dict[str, Any]:
    code, out, err = run(capsys, "export", "small", "--storage", storage, "--format", "json", *args)
    assert code == 0, err
    summary: dict[str, Any] = json.loads(out)
    return summary


def test_export_keeps_the_searchs_promise_and_predict_reads_it(capsys, storage, tmp_path):
    out = tmp_path / "models" / "digits"
    summary = export(capsys, storage, "--out", str(out))
    assert summary["out"] == str(out)
    assert summary["rows"] == 450
    assert summary["epochs"] == 15
    assert "model.keras" in summary["files"]
    _, best, _ = run(capsys, "best", "small", "--storage", storage, "--format", "json")
    promised = json.loads(best)
    assert summary["trial"] == promised["number"]
    assert summary["cross_validation"]["accuracy"] == promised["fold_scores"]
    # Within the spread of the folds and of 150 test rows (3 standard errors).
    p = promised["value"]
    spread = 3 * np.sqrt(np.std(promised["fold_scores"]) ** 2 + p * (1 - p) / 150)
    assert abs(summary["test"]["accuracy"] - p) < spread

    uri = f"npz:{storage.removeprefix('sqlite:///').replace('tuner.db', 'digits.npz')}"
    predict = ("predict", str(out), "--data", uri, "--part", "test")
    code, text, err = run(capsys, *predict, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 0
    assert len(rows) == 150
    right = np.mean([row["predicted"] == row["actual"] for row in rows])
    assert right == pytest.approx(summary["test"]["accuracy"])
    assert f"150 rows: accuracy {right:.4f}" in err
    code, text, _ = run(capsys, *predict, "--scores", "--format", "json")
    assert json.loads(text) == {"rows": 150, "accuracy": pytest.approx(right)}
    _, _, err = run(capsys, *predict[:-2], "--format", "csv")
    assert "600 rows" in err
    assert "was trained on rows of these data" in err


def test_another_trial_and_force(capsys, storage, tmp_path):
    out = str(tmp_path / "out")
    first = export(capsys, storage, "--out", out, "--trial", "0")
    assert first["trial"] == 0
    args = ("export", "small", "--storage", storage, "--out", out)
    code, _, err = run(capsys, *args)
    assert code == 2
    assert "--force" in err
    again = export(capsys, storage, "--out", out, "--trial", "0", "--force")
    assert again == first
    code, _, err = run(capsys, *args, "--force", "--trial", "7")
    assert code == 2
    assert "received 7. Available: 0 to 1" in err
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["trial"] == 0, "a refused export leaves the earlier one"


def test_the_fold_networks_as_one_model(capsys, storage, tmp_path):
    out = str(tmp_path / "out")
    args = ("export", "small", "--storage", storage, "--out", out)
    code, text, err = run(capsys, *args, "--ensemble", "folds", "--format", "table")
    assert (code, "training the folds of trial" in err) == (0, True)
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    first, header, scores, note, _ = text.splitlines()
    trial = settings["trial"]
    assert first == f"the 3 fold networks of trial {trial} of small as one model: {out}"
    assert header.split("  ")[-1].strip() == f"trial {trial} refitted, test rows"
    mean, alone = (
        f"{own['test']['accuracy']:.4f}" for own in (settings, settings["ensemble"]["single"])
    )
    assert scores.split()[-2:] == [mean, alone]
    assert note == "cross-validation is each network's score on its own fold"
    _, best, _ = run(capsys, "best", "small", "--storage", storage, "--format", "json")
    promised = json.loads(best)["fold_scores"]
    assert settings["cross_validation"]["accuracy"] == promised
    code, _, err = run(capsys, *args, "--force", "--ensemble", "fold")
    assert (code, "did you mean folds?" in err) == (2, True)


@pytest.mark.slow
def test_a_calibrated_selection(capsys, storage, tmp_path):
    out = str(tmp_path / "out")
    args = ["export", "small", "--storage", storage, "--out", out, "--format", "table"]
    args += ["--ensemble", "selection", "--ensemble-trials", "2"]
    code, text, err = run(capsys, *args, "--calibrate", "temperature")
    assert (code, "training the folds of the 2 best trials" in err) == (0, True)
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    best = settings["trial"]
    header = text.splitlines()[1]
    assert re.split(r"  +", header.strip()) == [
        "metric", "cross-validation", "chosen on other folds", f"trial {best} alone", "test rows",
        f"trial {best} refitted, test rows",
    ]  # fmt: skip
    calibration = settings["calibration"]
    assert calibration["after"] < calibration["before"]
    assert f"temperature {calibration['temperature']:.4g}: out-of-fold log loss" in text
    for wrong in (("--trial", "0"), ("--choose", "one-se"), ("--ensemble-trials", "1")):
        code, _, err = run(capsys, *args, *wrong, "--force")
        assert (code, wrong[0] in err) == (2, True)


def test_bad_input_has_its_message(capsys, storage, tmp_path):
    code, _, err = run(capsys, "export", "smal", "--storage", storage, "--out", str(tmp_path / "x"))
    assert (code, "did you mean small" in err) == (2, True)
    code, _, err = run(capsys, "predict", str(tmp_path), "--data", "sklearn:digits")
    assert code == 2
    assert "tuner export has written" in err
    out = str(tmp_path / "out")
    export(capsys, storage, "--out", out)
    code, _, err = run(capsys, "predict", out, "--data", "sklearn:iris")
    assert code == 2
    assert "64 features; those of sklearn:iris have 4" in err
    np.savez(tmp_path / "new.npz", X=np.zeros((2, 64), np.uint8))
    code, _, err = run(capsys, "predict", out, "--data", f"npz:{tmp_path}/new.npz", "--scores")
    assert code == 2
    assert "--scores needs the true values" in err


@pytest.mark.slow
def test_as_a_user_runs_them(storage, tmp_path):
    """In processes: nothing on stdout but data, nothing of TensorFlow's on stderr."""

    def tuner(*args: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
        return subprocess.run(
            [sys.executable, "-m", "tuner.cli.main", *args],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )

    out = str(tmp_path / "out")
    done = tuner("export", "small", "--storage", storage, "--out", out)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"refitting trial \d on 450 rows\n", done.stderr)
    assert "model.keras" in done.stdout
    uri = "sklearn:digits"
    done = tuner("predict", out, "--data", uri, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 1797
    assert len(done.stderr.splitlines()) == 1, done.stderr
