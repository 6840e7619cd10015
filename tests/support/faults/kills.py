"""kill -9 of workers at random moments."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from tests.support.faults.processes import Worker, WorkerProcesses
from tests.support.faults.recovery import Recoveries, recoveries
from tests.support.faults.study import FaultStudy, Ledger
from tests.support.faults.worker_main import Settings

#: The share of the kills that hit a worker with a trial; the others hit any.
BUSY = 0.9


@dataclass(frozen=True)
class Kills:
    """What `kills` saw.

    Attributes:
        holding: kills of workers that had a trial.
    """

    kills: int
    holding: int
    ledger: Ledger
    recoveries: Recoveries
    seconds: float

    @property
    def holds(self) -> bool:
        return self.ledger.holds and self.recoveries.holds


def kills(
    url: str,
    *,
    kills: int,
    workers: int,
    pause: float = 6.0,
    locked: float = 0.0,
    settings: Settings | None = None,
    seed: int = 0,
    patience: float = 300.0,
) -> Kills:
    """Kill `kills` workers, one at a time, and replace each.

    There are fewer tickets than workers, so that there is one to take over what a dead one
    leaves. At the end no more tickets are opened and the workers go on to the last of them.

    Args:
        workers: at a time.
        pause: seconds between two kills of one worker, on average; the moments are random.
        locked: seconds for which the storage keeps everybody out when a worker dies that has
            locked it; the bound is raised by them.
        settings: of the workers.
        patience: seconds for all of it; RuntimeError if it takes longer.
    """
    random_ = random.Random(seed)
    began = time.monotonic()
    study = FaultStudy(url)
    with WorkerProcesses(url, study.name, settings or Settings()) as processes:

        def keep_up(until: float) -> None:
            while True:
                processes.fill(workers)
                study.keep_open(max(1, workers - 2), processes)
                left = until - time.monotonic()
                if left <= 0:
                    return
                time.sleep(min(0.05, left))

        def busy() -> list[Worker]:
            while time.monotonic() < began + patience:
                found = [worker for worker in study.holders(processes) if worker.alive]
                if found:
                    return found
                keep_up(time.monotonic() + 0.05)
            raise RuntimeError("no worker had a trial")

        busy()  # the first workers take a while to start
        for _ in range(kills):
            keep_up(time.monotonic() + random_.expovariate(workers / pause))
            random_.choice(busy() if random_.random() < BUSY else processes.alive).kill()
        study.close()
        processes.fill(workers)
        processes.finish(began + patience)
        found = recoveries(study.trials(), processes, locked)
        ledger = study.ledger(processes.workers)
    seconds = time.monotonic() - began
    return Kills(kills, len(found.found), ledger, found, seconds)
