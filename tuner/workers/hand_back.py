"""A thread that gives back the trials of workers that ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Literal

from tuner.errors import StorageError, TunerError

#: What a worker's end says of the trials it held. `nobody`: nothing, they wait as before.
#: `unknown`: they may be the cause, and have had an attempt. `trial`: they broke a limit.
Fault = Literal["nobody", "unknown", "trial"]


@dataclass(frozen=True)
class WorkerDeath:
    """The end of a worker that may have held trials.

    Attributes:
        process: the worker's, as `tuner.storage.owner.process_name` names it.
        cause: for people; stored with the trials.
        trials: numbers of those that are at `fault`; None: whichever it held. For others of the
            worker's trials it is nobody's.
    """

    process: str
    cause: str
    fault: Fault
    trials: frozenset[int] | None = None


#: Gives back the trials of a worker that ended; what it returns tells whether it has.
GiveBack = Callable[[WorkerDeath], Callable[[], bool]]


class HandBack:
    """Hands trials back from a thread of its own, so that a storage that does not answer holds
    up nobody who reads the workers' pipes, nor the end of the program.

    Args:
        steps: hands the trials of one worker back; raises a `TunerError` if it cannot.

    Attributes:
        problems: why trials could not be handed back, each once (after `close`).
    """

    def __init__(self, steps: Callable[[WorkerDeath], object]) -> None:
        self.problems: list[str] = []
        self._steps = steps
        self._waiting: SimpleQueue[tuple[WorkerDeath, Future[object]] | None] = SimpleQueue()
        self._given: list[tuple[WorkerDeath, Future[object]]] = []
        self._thread = threading.Thread(target=self._run, name="hand-back", daemon=True)
        self._thread.start()

    def __call__(self, loss: WorkerDeath) -> Callable[[], bool]:
        """What is returned tells whether it is done, one way or the other."""
        result: Future[object] = Future()
        self._given.append((loss, result))
        self._waiting.put((loss, result))
        return result.done

    def close(self, until: float | None = None) -> None:
        """Wait until all is done, or until that time (seconds since 1970). The workers have
        ended: what failed before is tried once more, as a full disk has more room without them."""
        self._waiting.put(None)
        self._thread.join(None if until is None else max(0.0, until - time.time()))
        from tuner.storage.failures import is_transient  # takes SQLAlchemy

        problems: list[str] = []
        for loss, result in self._given:
            error = result.exception() if result.done() else TunerError("the time was up")
            if isinstance(error, StorageError) and not is_transient(error):
                error = self._again(loss)
            if error is None:
                continue
            if not isinstance(error, TunerError):
                raise error
            problems.append(
                f"a trial is still marked as running, and will be taken up again by the next "
                f"worker: {error}"
            )
        self.problems = list(dict.fromkeys(problems))

    def _again(self, loss: WorkerDeath) -> TunerError | None:
        try:
            self._steps(loss)
        except TunerError as error:
            return error
        return None

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            loss, result = job
            try:
                result.set_result(self._steps(loss))
            except BaseException as error:
                result.set_exception(error)
