"""The scripts of examples/ run, in the order in which one reads the other's study."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

#: Script to what its output says.
EXAMPLES = {
    "search_digits": "done: 8 trials",
    "read_results": "val_accuracy",
    "export_best": "found: 0 1 2",
    "stacked_grid": "best: {'kerasmlpclassifier__epochs': 8",
    "prune_keras_fit": "pruned",
    "own_network": "of the first three: [0 1 2]",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


def test_every_example_is_run() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(name: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py")],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert EXAMPLES[name] in done.stdout
    assert len(done.stdout.splitlines()) < 20
