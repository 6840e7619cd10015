"""Limits of a trial that its worker cannot be trusted with: the parent watches them, and kills.

A call into C++ that never returns hears of no deadline, and who asks for more memory than there
is gets no say either. A worker that keeps dying is not started again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tuner.resources import oom_kills
from tuner.search.events import Event, TrialDone, TrialReturned, TrialStarted
from tuner.text import size_text, time_text
from tuner.workers.hand_back import Fault
from tuner.workers.interfaces import Worker

#: Seconds between looks at the memory of the workers.
LOOK_EVERY = 1.0
#: Seconds that a worker whose trial broke a limit lives on until the storage knows of it. Once it
#: is dead, another worker may find its trial before that, and cannot know what it died of.
LAST_SECONDS = 2.0
#: How `Worker.death` calls an end by signal 9.
SIGKILL = "killed by SIGKILL"
#: A worker that dies this often in a row before it has a trial is not started again: it will not
#: come up the next time either (no memory for its libraries, data that alone exceed its limit).
START_TRIES = 3
#: The same for one that dies later, without a finished trial in between.
WORK_TRIES = 10


@dataclass(frozen=True)
class TrialLimits:
    """What a trial may take; None: anything.

    Attributes:
        memory: resident bytes of a worker's process.
        memory_alone: the same for one that trains alone, what the other workers hold included;
            None: as `memory`.
        seconds: from a trial's start to its end.
    """

    memory: int | None = None
    memory_alone: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Killing:
    """Why a worker is killed, by `until` (`time.monotonic`), or as soon as its trials are given
    back. `trial_at_fault`: one of its trials is the cause."""

    cause: str
    trial_at_fault: bool
    given_back: Callable[[], bool]
    until: float


class LimitWatch:
    """Kills the workers whose trials break a limit, and tells what killed one.

    Args:
        lose: gives back the trials of a worker; what it returns tells whether the storage knows.
        ooms: how many processes the system has killed for want of memory; None: not known.
    """

    def __init__(
        self,
        limits: TrialLimits,
        lose: Callable[[Worker, str, Fault], Callable[[], bool]],
        ooms: Callable[[], int | None] = oom_kills,
    ) -> None:
        self._limits = limits
        self._lose = lose
        self._ooms = ooms
        self._ooms_seen = ooms()
        self._memory: dict[Worker, int] = {}
        self._looked_at = float("-inf")
        self._killings: dict[Worker, Killing] = {}

    def enforce(self, workers: Sequence[Worker]) -> None:
        """Give back the trials of those that break a limit, and kill them once the storage knows.
        Call it several times a second."""
        free = [worker for worker in workers if worker not in self._killings]
        for worker, cause in list(self._broken(free)):
            at_fault = bool(worker.running)
            given_back = self._lose(worker, cause, "trial" if at_fault else "nobody")
            until = time.monotonic() + LAST_SECONDS
            self._killings[worker] = Killing(cause, at_fault, given_back, until)
        for worker, killing in self._killings.items():
            if killing.given_back() or time.monotonic() >= killing.until:
                worker.kill()

    def why_killed(self, worker: Worker) -> Killing | None:
        """Why a worker that has ended was killed from here; None if it was not. Forgets it."""
        return self._killings.pop(worker, None)

    def _broken(self, workers: Sequence[Worker]) -> Iterator[tuple[Worker, str]]:
        """Workers that have to be killed, and why."""
        now = time.monotonic()
        measured = now - self._looked_at >= LOOK_EVERY
        if measured:
            self._looked_at = now
            found = {worker: worker.memory() for worker in workers}
            self._memory = {worker: held for worker, held in found.items() if held is not None}
        for worker in workers:
            trials = worker.running.values()
            seconds = self._limits.seconds
            if seconds is not None and any(now - own.since > seconds for own in trials):
                yield worker, f"took longer than {time_text(seconds)}"
                continue
            most = self._most_memory(worker, any(own.started.alone for own in trials))
            held = self._memory.get(worker)
            if measured and most is not None and held is not None and held > most:
                yield worker, f"used {size_text(held)} of the {size_text(most)} allowed"

    def _most_memory(self, worker: Worker, alone: bool) -> int | None:
        if not alone or self._limits.memory_alone is None:
            return self._limits.memory
        return self._limits.memory_alone - sum(
            held for other, held in self._memory.items() if other is not worker
        )

    def ran_out_of_memory(self, worker: Worker) -> bool:
        """Whether a worker that nobody here killed died for want of memory: by signal 9, and the
        system has counted one such kill more, or it was last seen with more than half of what it
        may hold. Otherwise somebody killed it who had other reasons."""
        counted, before = self._ooms(), self._ooms_seen
        self._ooms_seen = counted
        if worker.death() != SIGKILL:
            return False
        if counted is not None and before is not None and counted > before:
            return True
        held, most = self._memory.get(worker), self._limits.memory
        return held is not None and most is not None and held > most / 2


class Deaths:
    """Deaths in a row, by the worker's number.

    A death in a trial that broke a limit is none of these: each ticket has two of them at most.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, bool]] = Counter()

    def hear(self, number: int, event: Event) -> None:
        """Take an event of worker `number` into account."""
        if isinstance(event, TrialStarted):
            self._counts[number, False] = 0
        elif isinstance(event, TrialDone | TrialReturned):
            self._counts[number, True] = 0

    def too_many(self, number: int, *, working: bool) -> int:
        """Count a death; how many in a row there were if the worker is not to be started again,
        else 0.

        Args:
            working: it died after it was ready, of an unknown cause.
        """
        self._counts[number, working] += 1
        count = self._counts[number, working]
        return count if count >= (WORK_TRIES if working else START_TRIES) else 0
