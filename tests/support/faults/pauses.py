"""Workers that are stopped (SIGSTOP) for longer than the grace and go on: laptops that slept."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from optuna.trial import FrozenTrial, TrialState

from tests.support.faults.failpoints import Failpoint, Point
from tests.support.faults.processes import Worker, WorkerProcesses
from tests.support.faults.study import FaultStudy, Ledger
from tests.support.faults.worker_main import Settings
from tuner.storage import records

Found = TypeVar("Found")

#: A worker that stops itself does so at every so manieth of its results.
EVERY = 2


@dataclass(frozen=True)
class Pauses:
    """What `pauses` saw.

    Attributes:
        discarded: late results that were thrown away.
        going_on: workers that lived and went on to something else.
        slowest, bound: seconds from the stop to the takeover; the grace and two heartbeats.
    """

    pauses: int
    discarded: int
    going_on: int
    ledger: Ledger
    slowest: float
    bound: float
    seconds: float

    @property
    def holds(self) -> bool:
        every = self.pauses == self.discarded == self.going_on
        return every and self.ledger.holds and self.slowest <= self.bound


def pauses(
    url: str,
    *,
    pauses: int,
    at: Point | None = None,
    workers: int = 3,
    locked: float = 0.0,
    settings: Settings | None = None,
    seed: int = 0,
    patience: float = 300.0,
) -> Pauses:
    """Stop a worker that has a trial, wait until another has taken it over, let the first go on.

    There are fewer tickets than workers, so that one of them is free to take over.

    Args:
        at: None: at random moments, outside of transactions; else one more worker stops itself
            there, by a failpoint.
        locked: seconds that the bound is raised by, for a storage that a worker has locked.
        settings: of the workers.
        patience: seconds for all of it; RuntimeError if it takes longer.
    """
    settings = settings or Settings()
    began = time.monotonic()
    study = FaultStudy(url, pruner="none")
    with WorkerProcesses(url, study.name, settings) as processes:
        scene = _Scene(study, processes, workers, random.Random(seed), began + patience)
        processes.fill(workers)
        late = processes.start(failpoint=Failpoint(at, EVERY, signal.SIGSTOP)) if at else None
        taken, discarded, going_on = [], 0, 0
        for _ in range(pauses):
            worker, trial, stopped = scene.stopped_late(late) if late else scene.stop_one()
            ended = scene.until(lambda number=trial.number: scene.ended(number))  # type: ignore[misc]
            taken.append(ended - stopped)
            scene.wait(scene.random.uniform(0.0, 1.0))
            worker.signal(signal.SIGCONT)
            story = scene.until(lambda who=worker, n=trial.number: _after(who, n))  # type: ignore[misc]
            discarded += story[0] == "TrialReturned"
            going_on += story[1:] != []
        if late:
            late.kill()  # it would stop itself again
        study.close()
        processes.finish(began + patience)
        ledger = study.ledger(processes.workers)
    bound = settings.grace + 2 * settings.heartbeat + locked
    seconds = time.monotonic() - began
    return Pauses(pauses, discarded, going_on, ledger, max(taken), bound, seconds)


class _Scene:
    def __init__(
        self,
        study: FaultStudy,
        processes: WorkerProcesses,
        workers: int,
        random_: random.Random,
        until: float,
    ) -> None:
        self.random = random_
        self._study, self._processes, self._workers = study, processes, workers
        self._until = until

    def stop_one(self) -> tuple[Worker, FrozenTrial, float]:
        """Stop a random worker with a trial at a random moment; it, the trial, and when."""
        while True:
            self.wait(self.random.uniform(0.05, 0.5))
            running = [
                (trial, worker)
                for trial in self._running()
                if (worker := self._processes.owner_of(_owner(trial))) is not None
            ]
            if not running:
                continue
            trial, worker = self.random.choice(running)
            stopped = time.time()
            worker.signal(signal.SIGSTOP)
            time.sleep(0.05)
            held = trial.number in [other.number for other in self._running()]
            if held and not worker.in_transaction:
                return worker, trial, stopped
            worker.signal(signal.SIGCONT)

    def stopped_late(self, worker: Worker) -> tuple[Worker, FrozenTrial, float]:
        """As `stop_one`, for the worker that stops itself."""
        stopped = self.until(
            lambda: [line.time for line in worker.log()[-1:] if line.event == "Failpoint"]
        )
        started = [line for line in worker.log() if line.event == "TrialStarted"][-1]
        return worker, self._study.trials()[started.fields["number"]], stopped[0]

    def ended(self, number: int) -> float | None:
        """When the trial was taken from its worker (seconds since 1970); None: not yet."""
        trial = self._study.trials()[number]
        if trial.state != TrialState.FAIL or trial.datetime_complete is None:
            return None
        return trial.datetime_complete.timestamp()

    def until(self, look: Callable[[], Found | None]) -> Found:
        """What `look` finds, once it finds something."""
        while not (found := look()):
            if time.monotonic() > self._until:
                raise RuntimeError("a paused worker's trial was not taken over in time")
            self.wait(0.05)
        return found

    def wait(self, seconds: float) -> None:
        self._processes.require_sound()
        self._study.keep_open(self._workers - 1, self._processes)
        time.sleep(seconds)

    def _running(self) -> list[FrozenTrial]:
        return [trial for trial in self._study.trials() if trial.state == TrialState.RUNNING]


def _owner(trial: FrozenTrial) -> str | None:
    return trial.system_attrs.get(records.WORKER)


def _after(worker: Worker, number: int) -> list[str]:
    """What the worker was told of its trial at last, and what it went on to; empty: nothing yet.
    Raises RuntimeError if it has died."""
    if not worker.alive:
        raise RuntimeError(f"{worker.name} has not survived a pause:\n{worker.errors()}")
    ends = ("TrialDone", "TrialReturned")
    lines = worker.log()
    for i, line in enumerate(lines):
        if line.event in ends and line.fields["number"] == number:
            later = [n.event for n in lines[i:] if n.event not in ("EpochDone", "WorkerWarning")]
            return later if len(later) > 1 else []
    return []
