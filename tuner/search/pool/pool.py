"""Workers that are started early, watched, replaced when they die, and ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import TracebackType
from typing import Literal, Protocol

from tuner.errors import TunerError
from tuner.search.events import Event, TrialDone, TrialReturned, TrialStarted, WorkerWarning
from tuner.search.pool.messages import Crashed, Ended, Entered, Failed, Task
from tuner.search.pool.signals import SignalWatch
from tuner.search.pool.worker import StartWorker, Worker

#: A worker that dies this often in a row before its loop begins is not started again.
START_TRIES = 2
#: The same for one that dies later, without a finished trial in between.
WORK_TRIES = 10
#: Seconds between looks at the clock and at the processes when nothing happens.
TICK = 0.2

Reason = Literal["done", "deadline", "signal"]


class Watcher(Protocol):
    """Who is told what happens, in the thread that runs the pool."""

    def event(self, event: Event) -> None: ...

    def line(self, text: str) -> None:
        """Something to read that is no event: a worker's output, a notice."""

    def tick(self) -> None:
        """Called at least five times a second."""


@dataclass(frozen=True)
class PoolOutcome:
    """Why the pool ended; `signal` is the number of the signal that ended it, else None."""

    reason: Reason
    signal: int | None = None


class WorkerPool:
    """`workers` workers on one study.

    Use it as a context manager: leaving kills whatever is left.

        with SignalWatch() as watch, WorkerPool(2, start) as pool:   # they begin to import here
            task = ...                                               # meanwhile, prepare the study
            watch.hold()
            outcome = pool.run(task, watch, watcher, hand_back)

    Args:
        start: starts one, or the next one in a dead one's place.

    Attributes:
        workers: how many there shall be.
    """

    def __init__(self, workers: int, start: StartWorker) -> None:
        self.workers = workers
        self._start = start
        self._processes: list[Worker] = []
        self._running: dict[int, dict[int, TrialStarted]] = {}  # by worker and trial
        self._deaths = [0] * workers
        self._task: Task | None = None
        self._watcher: Watcher | None = None
        self._hand_back: Callable[[str, str, bool], None] = lambda process, cause, blameless: None
        self._reason: Reason = "done"
        self._stopping = False
        self._error: TunerError | None = None
        for number in range(workers):
            self._spawn(number)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill("the search ended early")

    def keep(self, workers: int) -> None:
        """Drop the workers beyond the first `workers`: there is less to do than was thought."""
        for process in self._processes[workers:]:
            process.kill()
            process.join()
            process.close()
        del self._processes[workers:]
        self.workers = workers

    def run(
        self,
        task: Task,
        watch: SignalWatch,
        watcher: Watcher,
        hand_back: Callable[[str, str, bool], None],
        *,
        patience: float = 5.0,
    ) -> PoolOutcome:
        """Work until the study has no ticket left, the deadline passes or a signal comes.

        The first signal, and the task's deadline, let each worker end at its next epoch; a second
        signal, and `patience` seconds after the deadline, kill. `hand_back(process, cause,
        blameless)` is called for each process that ended while it may have held a trial;
        `blameless` where the trial cannot be the reason.

        Raises:
            TunerError: what a worker raised and every worker would; or all workers kept dying.
        """
        self._task, self._watcher, self._hand_back = task, watcher, hand_back
        for process in self._processes:
            process.give(task)
        while self._processes:
            waitables = [item for process in self._processes for item in process.waitables()]
            wait([*waitables, watch.fileno()], timeout=TICK)
            watch.clear()
            self._look_at_signals(watch)
            self._look_at_clock(task, patience)
            for process in list(self._processes):
                self._attend(process)
            watcher.tick()
        if self._error is not None:
            raise self._error
        return PoolOutcome(self._reason, watch.first if self._reason == "signal" else None)

    def _spawn(self, number: int) -> None:
        process = self._start(number)
        self._processes.append(process)
        if self._task is not None:
            process.give(self._task)

    def _look_at_signals(self, watch: SignalWatch) -> None:
        if watch.count and self._reason != "signal":
            self._reason = "signal"
            self._stop()
            if any(process.entered for process in self._processes):
                self._line("ending at the next epoch; once more to end at once")
        if watch.count > 1:
            self.kill("killed by a second signal")

    def _look_at_clock(self, task: Task, patience: float) -> None:
        if task.deadline is None:
            return
        if time.time() >= task.deadline and not self._stopping:
            self._reason = "deadline"
            self._stop()
        if time.time() >= task.deadline + patience:
            self.kill("the time was up")

    def _stop(self) -> None:
        self._stopping = True
        for process in self._processes:
            process.stop()

    def kill(self, cause: str) -> None:
        """End all processes now, if any are left; the trials they may have held are handed back."""
        self._stopping = True
        processes, self._processes = self._processes, []
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
            self._drain(process)
            if process.entered and not isinstance(process.ended, Ended):
                self._lose(process, cause, blameless=True)
            process.close()

    def _attend(self, process: Worker) -> None:
        alive = process.alive  # asked first: what a dead one said is all there is
        self._drain(process)
        if alive:
            return
        self._processes.remove(process)
        self._settle(process)
        process.close()

    def _drain(self, process: Worker) -> None:
        for line in process.read_log():
            self._line(line)
        for message in process.receive():
            if isinstance(message, Entered):
                process.entered = True
            elif isinstance(message, Ended | Failed | Crashed):
                process.ended = message
            else:
                self._pass_on(process.number, message)

    def _pass_on(self, number: int, event: Event) -> None:
        if isinstance(event, TrialStarted):
            self._running.setdefault(number, {})[event.number] = event
        elif isinstance(event, TrialDone | TrialReturned):
            self._running.get(number, {}).pop(event.number, None)
            self._deaths[number] = 0
        if self._watcher is not None:
            self._watcher.event(event)

    def _settle(self, process: Worker) -> None:
        """What follows from the end of a process."""
        last = process.ended
        if isinstance(last, Ended):
            if last.reason == "done":
                # All tickets are settled: whoever still imports need not go on.
                for other in self._processes:
                    if not other.entered:
                        other.stop()
            elif last.reason != "deadline" and not self._stopping:
                self._spawn(process.number)
            return
        if isinstance(last, Failed):
            self._lose(process, str(last.error), blameless=True)
            if not self._stopping:
                self._error = last.error
                self._stop()
            return
        if process.stopping and not process.entered:
            return
        cause = last.text if isinstance(last, Crashed) else process.death()
        if process.entered:
            self._lose(process, f"worker {cause}", blameless=process.lost)
        if not self._stopping:
            self._replace(process, cause)

    def _lose(self, process: Worker, cause: str, *, blameless: bool) -> None:
        for started in self._running.pop(process.number, {}).values():
            if self._watcher is not None:
                self._watcher.event(
                    TrialReturned(process.number, started.number, started.ticket, cause)
                )
        if process.name is not None:
            self._hand_back(process.name, cause, blameless)

    def _replace(self, process: Worker, cause: str) -> None:
        number = process.number
        self._deaths[number] += 1
        tries = WORK_TRIES if process.entered else START_TRIES
        if self._deaths[number] < tries:
            self._tell(number, f"worker {number} died ({cause}); a new one takes its place")
            self._spawn(number)
            return
        text = f"worker {number} died {tries} times without finishing a trial ({cause})"
        self._tell(number, f"{text}; it is not started again")
        if not self._processes:
            self._error = TunerError(text)

    def _tell(self, number: int, text: str) -> None:
        if self._watcher is not None:
            self._watcher.event(WorkerWarning(number, text))

    def _line(self, text: str) -> None:
        if self._watcher is not None:
            self._watcher.line(text)
