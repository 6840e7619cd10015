"""Limits of a trial that its worker cannot be trusted with: the parent watches them, and kills.

A call into C++ that never returns hears of no deadline, and who asks for more memory than there
is gets no say either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tuner.text import size_text, time_text
from tuner.workers.held import HeldTrials
from tuner.workers.resources import oom_kills
from tuner.workers.worker import Worker

#: Seconds between looks at the memory of the workers.
LOOK_EVERY = 1.0
#: Seconds that a worker whose trial broke a limit lives on until the storage knows of it. Once it
#: is dead, another worker may find its trial before that, and cannot know what it died of.
LAST_SECONDS = 2.0
#: How `Worker.death` calls an end by signal 9.
SIGKILL = "killed by SIGKILL"
#: What a trial is told to have died of, where signal 9 came from somewhere else.
OUT_OF_MEMORY = "killed by signal 9 (out of memory?)"


@dataclass(frozen=True)
class Caps:
    """What a trial may take.

    Attributes:
        memory: resident bytes of a worker's process; None: as it likes.
        memory_alone: the same where it trains alone, what the other workers hold included; None:
            as `memory`.
        seconds: from a trial's start to its end; None: as it likes.
    """

    memory: int | None = None
    memory_alone: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Sentence:
    """Why a worker is killed, by `until` (`time.monotonic`), or as soon as its trials are given
    back. `unused`: it had no trial that could be the cause."""

    cause: str
    unused: bool
    done: Callable[[], bool]
    until: float


class Guard:
    """Kills the workers whose trials break a limit, and tells what killed one.

    Args:
        ooms: how many processes the system has killed for want of memory; None: not known.
    """

    def __init__(
        self, caps: Caps, trials: HeldTrials, ooms: Callable[[], int | None] = oom_kills
    ) -> None:
        self._caps = caps
        self._trials = trials
        self._ooms = ooms
        self._ooms_seen = ooms()
        self._held: dict[Worker, int] = {}
        self._looked_at = float("-inf")
        self._sentences: dict[Worker, Sentence] = {}

    def enforce(self, workers: Sequence[Worker]) -> None:
        """Give back the trials of those that break a limit, and kill them once the storage knows.
        Call it several times a second."""
        free = [worker for worker in workers if worker not in self._sentences]
        for worker, cause in list(self._look(free)):
            unused = not self._trials.of(worker)
            done = self._trials.lose(worker, cause, "nobody" if unused else "trial")
            until = time.monotonic() + LAST_SECONDS
            self._sentences[worker] = Sentence(cause, unused, done, until)
        for worker, sentence in self._sentences.items():
            if sentence.done() or time.monotonic() >= sentence.until:
                worker.kill()

    def sentence(self, worker: Worker) -> Sentence | None:
        """Why a worker that has ended was killed from here; None where it was not. Forgets it."""
        return self._sentences.pop(worker, None)

    def _look(self, workers: Sequence[Worker]) -> Iterator[tuple[Worker, str]]:
        """Workers that have to be killed, and why."""
        now = time.monotonic()
        measured = now - self._looked_at >= LOOK_EVERY
        if measured:
            self._looked_at = now
            found = {worker: worker.memory() for worker in workers}
            self._held = {worker: held for worker, held in found.items() if held is not None}
        for worker in workers:
            trials = self._trials.of(worker)
            seconds = self._caps.seconds
            if seconds is not None and any(now - own.since > seconds for own in trials):
                yield worker, f"took longer than {time_text(seconds)}"
                continue
            cap = self._cap(worker, any(own.started.alone for own in trials))
            held = self._held.get(worker)
            if measured and cap is not None and held is not None and held > cap:
                yield worker, f"used {size_text(held)} of the {size_text(cap)} allowed"

    def _cap(self, worker: Worker, alone: bool) -> int | None:
        if not alone or self._caps.memory_alone is None:
            return self._caps.memory
        return self._caps.memory_alone - sum(
            held for other, held in self._held.items() if other is not worker
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
        held, cap = self._held.get(worker), self._caps.memory
        return held is not None and cap is not None and held > cap / 2
