"""What a worker does wherever it runs: import, work on its task, tell, and know when to stop."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

from tuner.errors import TunerError
from tuner.search.events import EpochDone, Event, TrialDone, WorkerReady
from tuner.workers.interfaces import Ended, MakeTrainer, Task
from tuner.workers.recycling import Recycling, WorkerLimits

#: At most one `EpochDone` in this many seconds, unless each is asked for: an epoch may take 5 ms,
#: and nobody can read that.
EPOCH_EVERY = 0.1


@dataclass(eq=False)
class LoopRunner:
    """Runs the loop of `tuner.search.loop.run_worker` once.

    Attributes:
        number, make_trainer, limits: see `tuner.workers.interfaces.Engine.start`.
        send: takes the loop's events, from any thread.
        threads: of TensorFlow.
        ready: whether the loop asks for trials.
    """

    number: int
    make_trainer: MakeTrainer | None
    limits: WorkerLimits
    send: Callable[[Event], None]
    threads: int = 1
    ready: bool = field(default=False, init=False)
    _recycled: bool = field(default=False, init=False)
    #: A plain bool: a signal handler may not wait for a lock.
    _stop: bool = field(default=False, init=False)
    _last_epoch: float = field(default=0.0, init=False)
    _every_epoch: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._recycling = Recycling(self.limits)

    def stop(self) -> None:
        """End at the next epoch, or before the loop begins."""
        self._stop = True

    def run(self, task: Callable[[], Task | None]) -> Ended:
        """Import, ask for the task (None: there will be none), and run the loop on it."""
        try:
            self._import()
            given = task()
            return Ended("stopped") if given is None or self._stop else self._work_on(given)
        except TunerError as error:
            return Ended("failed", error=error)
        except BaseException as error:  # the parent decides what a crash means
            traceback.print_exc()
            return Ended("crashed", text=f"{type(error).__name__}: {error}".splitlines()[0])

    def _import(self) -> None:
        """The slow part of a start (about 4 s), which needs no task yet."""
        if self.make_trainer is None:
            from tuner.training import set_threads

            set_threads(self.threads)
            import_module("tuner.search.study_trainer")  # TensorFlow and Keras
        import_module("tuner.search.loop")

    def _work_on(self, task: Task) -> Ended:
        from tuner.search.loop import run_worker

        self._every_epoch = task.every_epoch
        names = ("heartbeat", "grace", "artifacts", "code")
        reason = run_worker(
            task.storage_url,
            task.study_name,
            worker=self.number,
            stop=lambda: self._stop,
            on_event=self._tell,
            deadline=task.deadline,
            make_trainer=self.make_trainer,
            **{name: own for name in names if (own := getattr(task, name)) is not None},
        )
        return Ended("recycled" if self._recycled and reason == "stopped" else reason)

    def _tell(self, event: Event) -> None:
        """Pass on an event of the loop, and see after each trial whether a limit is reached."""
        if isinstance(event, EpochDone) and not self._every_epoch:
            now = time.monotonic()
            if now - self._last_epoch < EPOCH_EVERY:
                return
            self._last_epoch = now
        self.ready = self.ready or isinstance(event, WorkerReady)
        self.send(event)
        if isinstance(event, TrialDone) and self._recycling.due():
            self._recycled = self._stop = True
