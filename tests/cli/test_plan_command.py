"""`tuner plan`: what a search would cost; it changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from tuner.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study on 40 rows of 2 features and 2 classes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNER_STORAGE", raising=False)
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)
    np.savez("a.npz", X=np.arange(80.0).reshape(40, 2), y=np.arange(40) % 2)
    (tmp_path / "mine.yaml").write_text(
        "version: 1\n"
        "space: {version: 1, params: {initializer: {choices: [zeros, he_normal]}, epochs: 3}}\n"
        'data: {uri: "npz:a.npz"}\n'
        "folds: {k: 4}\n"
        "sampler: grid\n"
        "pruner: none\n"
    )
    return tmp_path


def tuner(capsys, *args):
    with pytest.raises(SystemExit) as exit_:
        main(list(args))
    out, err = capsys.readouterr()
    return exit_.value.code, out, err


def test_a_plan_counts_what_would_run_and_changes_nothing(folder, capsys):
    args = ("plan", "--study", "mine.yaml", "--workers", "2")
    code, out, err = tuner(capsys, *args, "--format", "json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    cost, time = said["cost"], said["time"]
    assert (said["trials"], said["folds"], said["stored"]) == (2, 4, None)
    assert (cost["networks"], cost["stacks"], cost["networks_per_stack"]) == (8, 1, [8, 8])
    assert cost["steps"] == 3 * 1  # 30 rows in one batch
    assert cost["worker_bytes"] > cost["bytes"] + cost["data_bytes"]
    assert (time["workers"], time["measured"]) == (2, False)
    assert time["seconds"] > 0
    code, out, _ = tuner(capsys, *args)
    assert code == 0
    assert "networks 8 of" in out
    assert "3 epochs, in 1 stacks of 8" in out
    assert "with 2 workers, if nothing is pruned" in out
    assert "--calibrate measures this machine" in out
    assert sorted(file.name for file in folder.iterdir()) == ["a.npz", "mine.yaml"]


def test_a_dry_run_is_the_same_plan(folder, capsys):
    flags = ("--study", "mine.yaml", "--folds", "3", "--set", "epochs=5", "--format", "json")
    plan = json.loads(tuner(capsys, "plan", *flags)[1])
    dry = json.loads(tuner(capsys, "optimize", "--dry-run", *flags)[1])
    assert plan == dry
    assert (plan["folds"], plan["cost"]["epochs"]) == (3, [5, 5])


@pytest.mark.parametrize("storage", ["b.log", "b.db"])
def test_a_stored_study_is_found_and_not_touched(folder, capsys, storage):
    from tuner.search.prepare import prepare_study
    from tuner.storage import storage_at
    from tuner.study.library import load_definition

    url = storage_at(storage).url
    prepare_study(load_definition("mine.yaml"), name="one", storage_url=url, trials=None)
    before = (folder / storage).read_bytes()
    names = sorted(file.name for file in folder.iterdir())
    args = ("plan", "--study", "mine.yaml", "--name", "one", "--storage", storage)
    code, out, _ = tuner(capsys, *args)
    assert code == 0
    assert "trials   2 of 2 points, 0 of them done" in out
    code, out, err = tuner(capsys, *args, "--folds", "3")
    assert (code, out) == (2, "")
    assert "folds.k: stored 4, given 3" in err
    assert (folder / storage).read_bytes() == before
    assert sorted(file.name for file in folder.iterdir()) == names


@pytest.mark.slow
def test_a_calibration_trains_here(folder):
    command = [sys.executable, "-m", "tuner.cli.main", "plan", "--study", "mine.yaml"]
    command += ["--calibrate", "--format", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=170)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "training a typical stack for some seconds\n"
    assert json.loads(ended.stdout)["time"]["measured"] is True
    assert sorted(file.name for file in folder.iterdir()) == ["a.npz", "mine.yaml"]
