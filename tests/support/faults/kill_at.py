"""Workers that die at one point of their way through the storage, again and again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from tests.support.faults.failpoints import Failpoint, Point
from tests.support.faults.processes import Worker, WorkerProcesses
from tests.support.faults.recovery import recoveries
from tests.support.faults.study import FaultStudy, Ledger
from tests.support.faults.worker_main import Settings

#: Tickets to work on at any time.
OPEN = 4
#: A healthy worker comes by after every so many sweepers' deaths.
HELP_EVERY = 5


@dataclass(frozen=True)
class KillsAt:
    """What `kill_at` saw.

    Attributes:
        left: trials that the dead had left behind, which had to be tried again.
    """

    point: Point
    kills: int
    left: int
    ledger: Ledger
    seconds: float

    @property
    def holds(self) -> bool:
        return self.ledger.holds


def kill_at(
    url: str,
    *,
    point: Point,
    kills: int,
    settings: Settings | None = None,
    seed: int = 0,
    patience: float = 300.0,
) -> KillsAt:
    """Let `kills` workers die at `point`, one after the other; a healthy one ends the study.

    At the points of a sweep there is always something to sweep, and no healthy worker to do it
    first: workers that die with a ticket take turns with workers that die while they sweep. Those
    are on one machine, so that nobody has to wait for a grace. At the other points a healthy
    worker is there all the time.

    Args:
        settings: of the workers.
        patience: seconds for all of it; RuntimeError if it takes longer.
    """
    settings = settings or Settings(epoch_seconds=0.02, far=not point.startswith("sweep"))
    began = time.monotonic()
    study = FaultStudy(url)
    with WorkerProcesses(url, study.name, settings) as processes:
        deaths = _Deaths(study, processes, random.Random(seed), began + patience)
        if point.startswith("sweep"):
            deaths.of_sweepers(point, kills)
        else:
            deaths.of_workers(point, kills)
        study.close()
        if not processes.alive:
            processes.start()
        processes.finish(began + patience)
        left = len(recoveries(study.trials(), processes).found)
        ledger = study.ledger(processes.workers)
    return KillsAt(point, kills, left, ledger, time.monotonic() - began)


class _Deaths:
    def __init__(
        self, study: FaultStudy, processes: WorkerProcesses, random_: random.Random, until: float
    ) -> None:
        self._study, self._processes = study, processes
        self._random = random_
        self._until = until

    def of_workers(self, point: Point, kills: int) -> None:
        self._processes.start()
        for _ in range(kills):
            self._await_death(self._start(point, every=self._random.randint(1, 3)))

    def of_sweepers(self, point: Point, kills: int) -> None:
        for i in range(kills):
            self._await_death(self._start("pop:after"))
            self._await_death(self._start(point))
            if i % HELP_EVERY == HELP_EVERY - 1:
                helper = self._processes.start()
                self._wait(self._random.uniform(0.5, 1.0))
                helper.kill()

    def _start(self, point: Point, every: int = 1) -> Worker:
        return self._processes.start(failpoint=Failpoint(point, every))

    def _await_death(self, worker: Worker) -> None:
        while worker.alive:
            if time.monotonic() > self._until:
                raise RuntimeError(f"{worker.name} has not died in time:\n{worker.errors()}")
            self._wait(0.03)
        self._processes.require_sound()

    def _wait(self, seconds: float) -> None:
        self._study.keep_open(OPEN, self._processes)
        time.sleep(seconds)
