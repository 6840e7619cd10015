"""A grid through the command line with more and fewer workers: the same bits."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from tuner.storage import open_storage, records
from tuner.study.stored import load_study

#: Six shapes, so six stacks at least: there is something to do for every worker.
SPACE = {
    "version": 1,
    "description": "Six widths, four initializers",
    "params": {
        "model.units": {"values": [8, 16, 24, 32, 48, 64]},
        "initializer": {"values": ["glorot_uniform", "he_normal", "lecun_uniform", "zeros"]},
        "model.dropout": 0.1,
        "epochs": 10,
    },
}


@dataclass(frozen=True)
class GridBits:
    """What `grid_bits` saw.

    Attributes:
        points: of the grid.
        took_part: for each number of workers, those that finished a point.
        equal: whether all scores and curves are the same, to the last bit.
    """

    workers: tuple[int, ...]
    points: int
    took_part: tuple[int, ...]
    equal: bool
    seconds: float

    @property
    def holds(self) -> bool:
        several = all(
            n > 1 for n, asked in zip(self.took_part, self.workers, strict=True) if asked > 1
        )
        return self.equal and several


def grid_bits(*, workers: Sequence[int] = (1, 2, 4), patience: float = 300.0) -> GridBits:
    """Run `tuner optimize` with real Keras training on the digits, once for each of `workers`.

    Raises RuntimeError if a command fails, `subprocess.TimeoutExpired` after `patience`
    seconds.
    """
    began = time.monotonic()
    results, took_part = [], []
    with tempfile.TemporaryDirectory(prefix="tuner-bits-") as folder:
        space = Path(folder) / "widths.yaml"
        space.write_text(json.dumps(SPACE))  # JSON is YAML
        for number in workers:
            url = f"sqlite:///{folder}/{number}.db"
            _optimize(space, url, number, patience)
            result, owners = _read(url)
            results.append(result)
            took_part.append(owners)
    return GridBits(
        workers=tuple(workers),
        points=len(results[0]),
        took_part=tuple(took_part),
        equal=all(result == results[0] for result in results),
        seconds=time.monotonic() - began,
    )


def _optimize(space: Path, url: str, workers: int, patience: float) -> None:
    command = [sys.executable, "-m", "tuner.cli.main", "optimize", "--space", str(space)]
    command += ["--sampler", "grid", "--folds", "3", "--metric", "accuracy", "--metric", "loss"]
    command += ["--name", "bits", "--storage", url, "--workers", str(workers)]
    command += ["--progress", "none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    if done.returncode:
        raise RuntimeError(f"tuner optimize ended with {done.returncode}:\n{done.stderr}")


def _read(url: str) -> tuple[dict[int, Any], int]:
    """Ticket to all that its result is; and how many workers had one."""
    trials = load_study(open_storage(url, create=False), "bits").get_trials()
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    result = {
        int(trial.user_attrs[records.TICKET]): (
            trial.params,
            trial.values,
            trial.intermediate_values,
            trial.user_attrs[records.METRICS],
        )
        for trial in complete
    }
    return result, len({trial.system_attrs[records.WORKER] for trial in complete})
