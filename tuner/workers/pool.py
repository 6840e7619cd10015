"""Workers that are started early, watched, replaced when they die, and ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from signal import Signals
from typing import Literal

from tuner.errors import TunerError
from tuner.search.events import Event, TrialReturned, WorkerWarning
from tuner.workers.hand_back import Fault, GiveBack, WorkerDeath
from tuner.workers.interfaces import Display, StartWorker, Task, Worker
from tuner.workers.limits import Deaths, LimitWatch, TrialLimits
from tuner.workers.parent_signals import SignalWatch

#: Seconds between looks at the clock and at the workers when nothing happens.
TICK = 0.2
#: Seconds to wait for the end of a killed process, which may hang in the kernel.
KILL_PATIENCE = 3.0
#: What a trial is told to have died of if signal 9 came from somewhere else.
OUT_OF_MEMORY = "killed by signal 9 (out of memory?)"

Reason = Literal["done", "deadline", "signal", "stopped"]


@dataclass(frozen=True)
class PoolEnd:
    """Why the pool ended; `signal` is the one that ended it, else None."""

    reason: Reason
    signal: Signals | None = None


class WorkerPool:
    """`size` workers on one study.

    Use it as a context manager: leaving kills whatever is left.

        with SignalWatch() as signals, WorkerPool(2, start) as pool:
            task = ...  # they import; meanwhile, prepare the study
            signals.hold()
            end = pool.run(task, signals, display, give_back)

    Args:
        start: starts one, or the next one in a dead one's place.
        limits: what a trial may take.

    Attributes:
        size: how many there shall be.
    """

    def __init__(self, size: int, start: StartWorker, limits: TrialLimits | None = None) -> None:
        self.size = size
        self._start = start
        self._workers: list[Worker] = []
        self._limits = LimitWatch(limits or TrialLimits(), self._lose)
        self._deaths = Deaths()
        self._task: Task | None = None
        self._display: Display | None = None
        self._give_back: GiveBack = lambda loss: lambda: True
        self._reason: Reason = "done"
        self._stopping = False
        self._error: TunerError | None = None
        for number in range(size):
            self._spawn(number)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill("the search ended early")

    def keep(self, size: int) -> None:
        """Drop the workers beyond the first `size`: there is less to do than was thought."""
        self._kill(self._workers[size:], "there is less to do")
        self.size = size

    def run(
        self,
        task: Task,
        signals: SignalWatch,
        display: Display,
        give_back: GiveBack,
        *,
        patience: float = 5.0,
        stop: Callable[[], bool] = lambda: False,
    ) -> PoolEnd:
        """Work until no ticket is left, the deadline passes, a signal comes, or `stop` is true.

        The first signal, and the task's deadline, let each worker end at its next epoch; a second
        signal, and `patience` seconds after the deadline, kill. `give_back` is called for each
        worker that ended while it may have held a trial, or whose trial breaks a limit.

        Raises:
            TunerError: what a worker raised and every worker would; or all workers kept dying.
        """
        self._task, self._display, self._give_back = task, display, give_back
        for worker in self._workers:
            worker.give(task)
        while self._workers:
            waitables = [item for worker in self._workers for item in worker.waitables()]
            wait([*waitables, signals.fileno()], timeout=TICK)
            signals.clear()
            self._look_at_signals(signals)
            self._look_at_clock(task, patience)
            for worker in list(self._workers):
                self._look_at(worker)
            self._limits.enforce(self._workers)
            display.tick()
            if stop() and not self._stopping:
                self._stop("stopped")
        if self._error is not None:
            raise self._error
        return PoolEnd(self._reason, signals.first if self._reason == "signal" else None)

    def kill(self, cause: str) -> None:
        """End all workers now, if any are left; the trials they may have held are given back."""
        self._stopping = True
        self._kill(list(self._workers), cause)

    def _kill(self, workers: list[Worker], cause: str) -> None:
        for worker in workers:
            self._workers.remove(worker)
            worker.kill()
        for worker in workers:
            worker.join(KILL_PATIENCE)
            self._read(worker)
            if worker.ready and not (worker.ended is not None and worker.ended.in_order):
                self._lose(worker, cause, "nobody")
            worker.close()

    def _spawn(self, number: int) -> None:
        worker = self._start(number)
        self._workers.append(worker)
        if self._task is not None:
            worker.give(self._task)

    def _look_at_signals(self, signals: SignalWatch) -> None:
        if signals.count and self._reason != "signal":
            self._stop("signal")
            if self._display is not None and any(worker.ready for worker in self._workers):
                self._display.line("ending at the next epoch; once more to end at once")
        if signals.count > 1:
            self.kill("killed by a second signal")

    def _look_at_clock(self, task: Task, patience: float) -> None:
        if task.deadline is None:
            return
        if time.time() >= task.deadline and not self._stopping:
            self._stop("deadline")
        if time.time() >= task.deadline + patience:
            self.kill("the time was up")

    def _stop(self, reason: Reason | None = None) -> None:
        self._stopping, self._reason = True, reason or self._reason
        for worker in self._workers:
            worker.stop()

    def _look_at(self, worker: Worker) -> None:
        alive = worker.alive  # asked first: what a dead one told is all there is
        self._read(worker)
        if not alive:
            self._workers.remove(worker)
            self._settle(worker)
            worker.close()

    def _read(self, worker: Worker) -> None:
        if self._display is None:
            return  # it has had no task
        for line in worker.read_log():
            self._display.line(line)
        for event in worker.receive():
            worker.hear(event)
            self._deaths.hear(worker.number, event)
            self._display.event(event)

    def _tell(self, event: Event) -> None:
        if self._display is not None:
            self._display.event(event)

    def _lose(self, worker: Worker, cause: str, fault: Fault) -> Callable[[], bool]:
        """Give the trials of a worker back, and tell of it; what is returned tells whether the
        storage knows."""
        lost = [own.started for own in worker.running.values()]
        worker.running.clear()
        for started in lost:
            self._tell(TrialReturned(worker.number, started.number, started.ticket, cause))
            if fault == "trial":
                then = "it is given up" if started.alone else "it is tried once more, alone"
                self._tell(WorkerWarning(worker.number, f"trial {started.number} {cause}; {then}"))
        if worker.name is None:
            return lambda: True
        trials = frozenset(started.number for started in lost) if fault == "trial" else None
        return self._give_back(WorkerDeath(worker.name, cause, fault, trials))

    def _settle(self, worker: Worker) -> None:
        """What follows from the end of a worker."""
        ended, killing = worker.ended, self._limits.why_killed(worker)
        if ended is not None and ended.in_order:
            if ended.reason == "done":
                # All tickets are settled: whoever has had no trial yet need not go on.
                for other in self._workers:
                    if not other.ready:
                        other.stop()
            elif ended.reason != "deadline" and not self._stopping and not worker.stopping:
                self._spawn(worker.number)
        elif ended is not None and ended.error is not None:
            self._lose(worker, str(ended.error), "nobody")
            if not self._stopping:
                self._error = ended.error
                self._stop()
        elif worker.stopping and not worker.ready:
            pass  # it was stopped before it could begin
        elif killing is not None:
            self._lose(worker, killing.cause, "nobody")  # what it began since
            self._replace(worker, killing.cause, trial_at_fault=killing.trial_at_fault)
        else:
            cause, at_fault = worker.death() if ended is None else ended.text, False
            if self._limits.ran_out_of_memory(worker):
                cause, at_fault = OUT_OF_MEMORY, bool(worker.running)
            if at_fault:
                self._lose(worker, cause, "trial")
            elif worker.ready:
                fault: Fault = "nobody" if worker.lost else "unknown"
                self._lose(worker, f"worker {cause}", fault)
            self._replace(worker, cause, trial_at_fault=at_fault, working=worker.ready)

    def _replace(
        self, worker: Worker, cause: str, *, trial_at_fault: bool, working: bool = False
    ) -> None:
        """Start a worker in a dead one's place, unless that happened too often.

        Args:
            working: see `Deaths.too_many`.
        """
        if self._stopping:
            return
        number, text = worker.number, f"died ({cause}); a new one takes its place"
        times = 0 if trial_at_fault else self._deaths.too_many(number, working=working)
        if times:
            text = f"died {times} times without finishing a trial ({cause})"
            if not self._workers:
                self._error = TunerError(f"worker {number} {text}")
            text += "; it is not started again"
        self._tell(WorkerWarning(number, f"worker {number} {text}"))
        if not times:
            self._spawn(number)
