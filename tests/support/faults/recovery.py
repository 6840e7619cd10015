"""How long a ticket waits for another worker when its own has died."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from tests.support.faults.processes import Worker, WorkerProcesses
from tuner.storage import records
from tuner.storage.backend import ticket_key


@dataclass(frozen=True)
class Recovery:
    """One trial that its worker left behind.

    Attributes:
        seconds: from the kill, or from when a worker was free if none was, to the start of the
            trial that tries its ticket again.
    """

    trial: int
    seconds: float


@dataclass(frozen=True)
class Recoveries:
    """All of a study's.

    Attributes:
        mistaken: trials taken from workers that were alive.
        bound: seconds: the grace and two heartbeats, and what the storage may be locked for.
    """

    found: list[Recovery]
    mistaken: int
    bound: float

    @property
    def slowest(self) -> float:
        return max((recovery.seconds for recovery in self.found), default=0.0)

    @property
    def holds(self) -> bool:
        return self.slowest <= self.bound


def recoveries(
    trials: Sequence[FrozenTrial], processes: WorkerProcesses, locked: float = 0.0
) -> Recoveries:
    """What the kills of a finished study cost, read off its trials and its workers' logs; the
    bound is raised by `locked`."""
    taken = {}
    for trial in sorted(trials, key=lambda trial: -trial.number):
        if trial.datetime_start is not None:
            taken[ticket_key(trial)] = trial.datetime_start.timestamp()
    free = {worker.name: _free_times(worker) for worker in processes.workers}
    found, mistaken = [], 0
    for trial in trials:
        key = ticket_key(trial)
        if trial.state != TrialState.FAIL or records.SETTLED in trial.system_attrs or key is None:
            continue
        worker = processes.owner_of(trial.system_attrs.get(records.WORKER))
        ended = trial.datetime_complete
        assert ended is not None
        if worker is not None:
            killed = worker.killed_at
        else:  # a journal: its worker died before it could say who it is
            killed = trial.datetime_start.timestamp() if trial.datetime_start else None
        if killed is None or killed > ended.timestamp():
            mistaken += 1
            continue
        again = taken[key[0], key[1] + 1]
        since = [begin for times in free.values() for begin, end in times if begin < again <= end]
        found.append(Recovery(trial.number, again - max(killed, min(since, default=killed))))
    bound = processes.settings.grace + 2 * processes.settings.heartbeat + locked
    return Recoveries(found, mistaken, bound)


def _free_times(worker: Worker) -> list[tuple[float, float]]:
    """When the worker was there and had no trial, each from its begin to its end."""
    times, begin = [], None
    for line in worker.log():
        if line.event == "WorkerReady":
            begin = line.time
        elif line.event == "TrialStarted":
            if begin is not None:
                times.append((begin, line.time))
            begin = None
        elif line.event in ("TrialDone", "TrialReturned"):
            begin = line.time
    if begin is not None:
        times.append((begin, worker.killed_at or float("inf")))
    return times
