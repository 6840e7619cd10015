"""Workers that are started early, watched, replaced when they die, and ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import TracebackType
from typing import Literal

from tuner.errors import TunerError
from tuner.search.events import Event, TrialDone, TrialReturned, TrialStarted, WorkerWarning
from tuner.workers.deaths import Deaths
from tuner.workers.guard import OUT_OF_MEMORY, Caps, Guard
from tuner.workers.held import GiveBack, HeldTrials
from tuner.workers.messages import Crashed, Ended, Entered, Failed, Task
from tuner.workers.signals import SignalWatch
from tuner.workers.watcher import Watcher
from tuner.workers.worker import StartWorker, Worker

#: Seconds between looks at the clock and at the processes when nothing happens.
TICK = 0.2
#: Seconds to wait for the end of a killed process, which may hang in the kernel.
KILL_PATIENCE = 3.0

Reason = Literal["done", "deadline", "signal"]


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
        caps: what a trial may take.

    Attributes:
        workers: how many there shall be.
    """

    def __init__(self, workers: int, start: StartWorker, caps: Caps | None = None) -> None:
        self.workers = workers
        self._start = start
        self._processes: list[Worker] = []
        self._trials = HeldTrials()
        self._guard = Guard(caps or Caps(), self._trials)
        self._deaths = Deaths()
        self._task: Task | None = None
        self._watcher: Watcher | None = None
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
            process.join(KILL_PATIENCE)
            process.close()
        del self._processes[workers:]
        self.workers = workers

    def run(
        self,
        task: Task,
        watch: SignalWatch,
        watcher: Watcher,
        hand_back: GiveBack,
        *,
        patience: float = 5.0,
    ) -> PoolOutcome:
        """Work until the study has no ticket left, the deadline passes or a signal comes.

        The first signal, and the task's deadline, let each worker end at its next epoch; a second
        signal, and `patience` seconds after the deadline, kill. `hand_back` is called for each
        process that ended while it may have held a trial, or whose trial breaks a limit.

        Raises:
            TunerError: what a worker raised and every worker would; or all workers kept dying.
        """
        self._task, self._watcher = task, watcher
        self._trials.begin(watcher, hand_back)
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
            self._guard.enforce(self._processes)
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
            process.join(KILL_PATIENCE)
            self._drain(process)
            if process.entered and not isinstance(process.ended, Ended):
                self._trials.lose(process, cause, "nobody")
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
        self._trials.hear(number, event)
        if isinstance(event, TrialStarted):
            self._deaths.began(number)
        elif isinstance(event, TrialDone | TrialReturned):
            self._deaths.finished(number)
        if self._watcher is not None:
            self._watcher.event(event)

    def _settle(self, process: Worker) -> None:
        """What follows from the end of a process."""
        last, sentence = process.ended, self._guard.sentence(process)
        if isinstance(last, Ended):
            if last.reason == "done":
                # All tickets are settled: whoever still imports need not go on.
                for other in self._processes:
                    if not other.entered:
                        other.stop()
            elif last.reason != "deadline" and not self._stopping and not process.stopping:
                self._spawn(process.number)
            return
        if isinstance(last, Failed):
            self._trials.lose(process, str(last.error), "nobody")
            if not self._stopping:
                self._error = last.error
                self._stop()
            return
        if process.stopping and not process.entered:
            return
        if sentence is not None:
            self._trials.lose(process, sentence.cause, "nobody")  # what it began since
            self._replace(process, sentence.cause, tried=not sentence.unused, working=False)
            return
        cause = last.text if isinstance(last, Crashed) else process.death()
        tried = False
        if self._guard.ran_out_of_memory(process):
            cause, tried = OUT_OF_MEMORY, bool(self._trials.of(process))
        if tried:
            self._trials.lose(process, cause, "trial")
        elif process.entered:
            self._trials.lose(process, f"worker {cause}", "nobody" if process.lost else "unknown")
        self._replace(process, cause, tried=tried, working=process.entered)

    def _replace(self, process: Worker, cause: str, *, tried: bool, working: bool) -> None:
        """Start a worker in a dead one's place, unless that happened too often.

        Args:
            tried: its trial was the cause.
            working: see `Deaths.too_many`.
        """
        if self._stopping:
            return
        number = process.number
        times = 0 if tried else self._deaths.too_many(number, working=working)
        if not times:
            self._tell(number, f"worker {number} died ({cause}); a new one takes its place")
            self._spawn(number)
            return
        text = f"worker {number} died {times} times without finishing a trial ({cause})"
        self._tell(number, f"{text}; it is not started again")
        if not self._processes:
            self._error = TunerError(text)

    def _tell(self, number: int, text: str) -> None:
        if self._watcher is not None:
            self._watcher.event(WorkerWarning(number, text))

    def _line(self, text: str) -> None:
        if self._watcher is not None:
            self._watcher.line(text)
