"""Interrupted trainings by Keras end with the scores of undisturbed ones, to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest
from test_checkpoints import artifacts as artifacts
from test_checkpoints import ends, files, resumed, stopping_after

from tests.support import SUPPORT
from tests.support.studies import definition, load
from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.search.study_trainer import StudyTrainer
from tuner.search.tickets import read_counts
from tuner.training import set_threads

set_threads()
pytestmark = pytest.mark.slow

SMALL = {"model.layers": 1, "model.units": 8, "batch_size": 32, "optimizer": "sgd"}
RATE = {"optimizer.learning_rate": {"low": 0.01, "high": 0.5, "log": True}}
STUDIES = {
    "pruned, dropout, plateau": definition(
        {
            **SMALL,
            **RATE,
            "epochs": 7,
            "model.dropout": 0.2,
            "schedule": "plateau",
            "schedule.patience": 1,
        },
        trials=5,
        pruner={"name": "median", "n_startup_trials": 1, "n_warmup_steps": 1},
        sampler="random",
    ),
    "adam, early stopping": definition(
        {**SMALL, "optimizer": "adam", **RATE, "epochs": 9, "early_stopping.patience": 1},
        trials=3,
        pruner="none",
        sampler="random",
    ),
    "grid of epochs and initializers": definition(
        {
            **SMALL,
            "optimizer.momentum": 0.9,
            "initializer": {"values": ["he_normal", "zeros"]},
            "epochs": {"values": [3, 6]},
            "model.batch_norm": True,
        },
        sampler="grid",
    ),
}


@pytest.mark.parametrize("name", STUDIES)
def test_scores_are_those_of_a_study_that_nobody_interrupted(tmp_path, artifacts, name):
    """Interrupted after every second epoch of the worker."""
    made = STUDIES[name].override({"data.limit": 242, "folds.k": 3})  # folds that differ by a row
    url, whole = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/whole.db"
    for place in (url, whole):
        made = prepare_study(made, name="study", storage_url=place, trials=None).definition
    trainer = StudyTrainer(made)  # its stacks are reset for every training

    def work(place, stop=lambda: False, on_event=lambda event: None):
        run_worker(place, "study", stop=stop, on_event=on_event, make_trainer=lambda _: trainer)

    turns = 0
    while read_counts(load(url)).done < read_counts(load(url)).total:
        work(url, **stopping_after(2))
        turns += 1
    assert turns > 2
    assert resumed(url)
    assert files(artifacts) == []
    work(whole)
    assert ends(url) == ends(whole)


TUNER = [sys.executable, str(SUPPORT / "eager_tuner.py")]
EPOCHS = 3000
LONG = ["--space", "sgd_decay", "--set", f"epochs={EPOCHS}", "--set", "batch_size=32"]
LONG += ["--set", "optimizer.learning_rate=0.05", "--set", "model.units=16"]
LONG += ["--limit", "200", "--folds", "2"]


def optimize(url, *flags):
    given = ["--name", "study", "--storage", url, "--trials", "1", "--workers", "1"]
    return subprocess.Popen(
        [*TUNER, "optimize", *LONG, *given, *flags, "--progress", "none"],
        env={k: v for k, v in os.environ.items() if k != "TUNER_ARTIFACTS"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_the_worker(command):
    children = psutil.Process(command.pid).children(recursive=True)
    [worker] = [p for p in children if "resource_tracker" not in " ".join(p.cmdline())]
    worker.kill()


def test_a_killed_workers_trial_goes_on_in_the_next_worker(tmp_path):
    """`tuner optimize` on digits; the undisturbed run beside it."""
    urls = [f"sqlite:///{tmp_path}/{name}/a.db" for name in ("killed", "whole")]
    commands = [optimize(url) for url in urls]
    folder, until = tmp_path / "killed" / "artifacts", time.monotonic() + 240
    while not (folder.exists() and list(folder.glob("checkpoint-*.npz"))):
        assert commands[0].poll() is None, commands[0].communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    kill_the_worker(commands[0])
    for command in commands:
        _, err = command.communicate(timeout=300)
        assert command.returncode == 0, err
    killed, trial = load(urls[0]).trials
    assert (killed.state.name, trial.state.name) == ("FAIL", "COMPLETE")
    [epoch] = trial.system_attrs["tuner:resumed"]
    assert 0 < epoch < EPOCHS
    assert list(trial.intermediate_values) == list(range(EPOCHS))
    [ours], [theirs] = ends(urls[0]).values(), ends(urls[1]).values()
    assert ours[0] == theirs[0]
    assert ours[1][1] == theirs[1][1]
    assert trial.value > 0.5
    assert files(folder) == []
