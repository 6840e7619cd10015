"""`tuner.optimize(build, ...)`: what it takes, and a search whose worker is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import tuner
from tests.support.studies import load
from tuner.errors import UsageError

SPACE = {"filters": 3, "epochs": 2}


class Model:
    """Callable, as a model of Keras's is."""

    __module__ = "keras.src.models.model"

    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("first", "settings", "problem"),
    [
        (lambda params: None, {}, "a network of your own needs the space of its parameters"),
        (Model(), {"space": SPACE}, "is a function from parameters to a new keras.Model"),
        (SPACE, {"space": SPACE}, "the space is the first argument or space=; received both"),
    ],
)
def test_build_or_space(here: Path, first: Any, settings: Any, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        tuner.optimize(first, data="sklearn:digits", **settings)
    assert list(here.iterdir()) == []


def narrow(params: Any) -> Any:
    raise AssertionError("built by workers only")


@pytest.mark.slow
def test_the_parameters_of_build_have_names_of_ones_own(in_process: Path) -> None:
    space = {"filters": tuner.choices(4, 8), "epochs": 2}
    study = tuner.optimize(narrow, data="sklearn:digits", space=space, trials=2, progress="none")
    assert study.name.startswith("narrow-")
    assert study.definition.space.open is True
    assert study.definition.code.parts["build"].what.endswith("narrow")
    # Going on without trust is refused before more trials are queued.
    with pytest.raises(UsageError, match="only if it is trusted"):
        tuner.load(study.name).optimize(trials=5)
    assert len(study.table()) == 2
    other = tuner.optimize(lambda params: 1, data="sklearn:digits", space=space, trials=1)
    assert other.name != study.name


SCRIPT = """
import sys
import keras
import tuner

def build(params):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((8, 8, 1)), layers.Conv2D(params["filters"], 3), layers.Dropout(0.1),
        layers.Flatten(), layers.Dense(10, "softmax"),
    ])

space = {"filters": 2, "optimizer": "sgd", "optimizer.learning_rate": (0.01, 0.02), "epochs": 1500}
study = tuner.optimize(
    build, data="sklearn:digits", limit=100, folds=2, space=space, trials=1, workers=1,
    name="study", pruner="none", storage=sys.argv[1], progress="none",
)
print(study.best.value)
"""


@pytest.mark.slow
def test_a_killed_workers_network_goes_on_in_the_next_worker(tmp_path: Path) -> None:
    """The undisturbed search beside it; a script without a `__main__` guard."""
    (tmp_path / "search.py").write_text(SCRIPT)
    urls = [f"sqlite:///{tmp_path}/{name}/a.db" for name in ("killed", "whole")]
    commands = [
        subprocess.Popen(
            [sys.executable, str(tmp_path / "search.py"), url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for url in urls
    ]
    folder, until = tmp_path / "killed" / "artifacts", time.monotonic() + 240
    while not list(folder.glob("checkpoint-*.npz")):
        assert commands[0].poll() is None, commands[0].communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    children = psutil.Process(commands[0].pid).children(recursive=True)
    [worker] = [own for own in children if "resource_tracker" not in " ".join(own.cmdline())]
    worker.kill()
    told = []
    for command in commands:
        out, err = command.communicate(timeout=300)
        assert command.returncode == 0, err
        told.append(out)
    killed, trial = load(urls[0]).trials
    assert (killed.state.name, trial.state.name) == ("FAIL", "COMPLETE")
    [epoch] = trial.system_attrs["tuner:resumed"]
    assert 0 < epoch < 1500
    assert told[0] == told[1]
    [whole] = load(urls[1]).trials
    assert trial.intermediate_values == whole.intermediate_values
