"""A grid, many workers, one kill."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from optuna.trial import TrialState

from tests.support.faults.processes import WorkerProcesses
from tests.support.faults.recovery import recoveries
from tests.support.faults.study import FaultStudy, Ledger
from tests.support.faults.worker_main import Settings
from tuner.storage import records

#: 24 points.
GRID = {
    "optimizer.learning_rate": {"values": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]},
    "batch_size": {"values": [16, 32, 64, 128]},
    "epochs": 8,
}
POINTS = 24


@dataclass(frozen=True)
class GridKill:
    """What `grid_kill` saw.

    Attributes:
        took_part: workers that finished a point.
        left: trials that the killed one had left behind.
        complete: trials that are COMPLETE.
        added: trials that the same command made when it was run again.
    """

    workers: int
    took_part: int
    left: int
    complete: int
    added: int
    ledger: Ledger
    seconds: float

    @property
    def holds(self) -> bool:
        return self.complete == POINTS and self.added == 0 and self.ledger.holds


def grid_kill(
    url: str,
    *,
    workers: int,
    stacked: bool = True,
    settings: Settings | None = None,
    seed: int = 0,
    patience: float = 120.0,
) -> GridKill:
    """Run a grid of 24, kill a worker that has a trial, and run the same again at the end.

    Args:
        stacked: several points train together, as they do without a pruner; else one by one.
        patience: seconds for all of it; RuntimeError if it takes longer.
    """
    random_ = random.Random(seed)
    settings = settings or Settings(epoch_seconds=0.05)
    began = time.monotonic()
    pruner = "none" if stacked else {"name": "threshold", "lower": -1.0}
    study = FaultStudy(url, params=GRID, name=f"grid-{workers}", sampler="grid", pruner=pruner)
    with WorkerProcesses(url, study.name, settings) as processes:
        processes.fill(workers)
        _kill_one(study, processes, random_, began + patience)
        processes.fill(workers)
        processes.finish(began + patience)
        trials = study.trials()
        study.prepare(None)
        processes.start()
        processes.finish(began + patience)
        ledger = study.ledger(processes.workers)
        complete = [trial for trial in study.trials() if trial.state == TrialState.COMPLETE]
        owners = {trial.system_attrs[records.WORKER] for trial in complete}
        added = len(study.trials()) - len(trials)
        left = len(recoveries(trials, processes).found)
    seconds = time.monotonic() - began
    return GridKill(workers, len(owners), left, len(complete), added, ledger, seconds)


def _kill_one(
    study: FaultStudy, processes: WorkerProcesses, random_: random.Random, until: float
) -> None:
    while time.monotonic() < until:
        processes.require_sound()
        time.sleep(random_.uniform(0.0, 0.3))
        if busy := [worker for worker in study.holders(processes) if worker.alive]:
            random_.choice(busy).kill()
            return
    raise RuntimeError("no worker had a trial that could be left behind")
