"""The trials that a pool's workers hold, and what becomes of those whose worker ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tuner.search.events import Event, TrialDone, TrialReturned, TrialStarted, WorkerWarning
from tuner.workers.hand_back import Fault, GiveBack, Loss
from tuner.workers.interfaces import Worker


@dataclass(frozen=True)
class Running:
    """A trial that a worker has begun; `since` by `time.monotonic`."""

    started: TrialStarted
    since: float


class HeldTrials:
    """Which trials run where, by what the workers have told.

    Attributes:
        tell: takes events that the pool itself has to tell.
        give_back: gives back the trials of a worker that ended.
    """

    def __init__(self) -> None:
        self.tell: Callable[[Event], None] = lambda event: None
        self.give_back: GiveBack = lambda loss: lambda: True
        self._running: dict[int, dict[int, Running]] = {}  # by worker and trial

    def hear(self, number: int, event: Event) -> None:
        """Take an event of worker `number` into account."""
        if isinstance(event, TrialStarted):
            running = Running(event, time.monotonic())
            self._running.setdefault(number, {})[event.number] = running
        elif isinstance(event, TrialDone | TrialReturned):
            self._running.get(number, {}).pop(event.number, None)

    def of(self, worker: Worker) -> list[Running]:
        return list(self._running.get(worker.number, {}).values())

    def lose(self, worker: Worker, cause: str, fault: Fault) -> Callable[[], bool]:
        """Give the trials of a worker back, and tell of it; what is returned tells whether the
        storage knows."""
        lost = [own.started for own in self._running.pop(worker.number, {}).values()]
        for started in lost:
            self.tell(TrialReturned(worker.number, started.number, started.ticket, cause))
            if fault == "trial":
                then = "it is given up" if started.alone else "it is tried once more, alone"
                self.tell(WorkerWarning(worker.number, f"trial {started.number} {cause}; {then}"))
        if worker.name is None:
            return lambda: True
        trials = frozenset(started.number for started in lost) if fault == "trial" else None
        return self.give_back(Loss(worker.name, cause, fault, trials))
