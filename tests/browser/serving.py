"""A study that a real search has made, and `tuner serve` as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.study.definition import definition_of

ROOT = Path(__file__).resolve().parents[2]


def searched(folder: Path, name: str, params: dict[str, Any], trials: int, **parts: Any) -> str:
    """The storage of a study of some real digits: 3 folds of a space of `params`; `parts` of its
    definition besides."""
    url = f"sqlite:///{folder / 'tuner.db'}"
    definition = definition_of(
        {
            "space": {"name": "own", "params": {"optimizer": "sgd", **params}},
            "data": {"uri": "sklearn:digits", "limit": 500},
            "folds": {"k": 3},
            "seed": 1,
            **parts,
        },
        "a test",
    )
    prepare_study(definition, name=name, storage_url=url, trials=trials)
    run_worker(url, name, stop=lambda: False, on_event=lambda event: None)
    return url


@contextmanager
def served(study: str, storage: str) -> Iterator[str]:
    """The study's page, as `tuner serve` prints it."""
    command = ["serve", study, "--storage", storage, "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner.cli.main", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.match(r"http://127\.0\.0\.1:\d+/dashboard/studies/\d+", line)
        assert found, line + process.stderr.read()
        yield found[0]
    finally:
        process.kill()
        process.wait()
