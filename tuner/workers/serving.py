"""What a worker does wherever it runs: import, work on its task, tell, and know when to stop."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tuner.errors import TunerError
from tuner.workers.messages import Crashed, Ended, Failed, Limits, Message, Task
from tuner.workers.recycling import Recycling
from tuner.workers.worker import MakeTrainer

if TYPE_CHECKING:
    from tuner.search.events import Event

#: At most one `EpochDone` in this many seconds: an epoch may take 5 ms, and nobody can read that.
EPOCH_EVERY = 0.1


def import_trainer(make_trainer: MakeTrainer | None, threads: int = 1) -> None:
    """The slow part of a start (about 4 s), which needs no task yet."""
    if make_trainer is None:
        from tuner.training import set_threads

        set_threads(threads)
        import_module("tuner.search.study_trainer")  # TensorFlow and Keras
    import_module("tuner.search.loop")


def outcome_of(run: Callable[[], Message]) -> Message:
    """What `run` returns, or what it means for the pool that it raised."""
    try:
        return run()
    except TunerError as error:
        return Failed(error)
    except BaseException as error:  # the parent decides what a crash means
        traceback.print_exc()
        return Crashed(f"{type(error).__name__}: {error}".splitlines()[0])


def work_on(task: Task, worker: int, link: Link, make_trainer: MakeTrainer | None) -> Ended:
    """Run the loop of `tuner.search.loop.run_worker` until it returns."""
    from tuner.search.loop import run_worker

    own = {"heartbeat": task.heartbeat, "grace": task.grace, "artifacts": task.artifacts}
    said: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
    reason = run_worker(
        task.storage_url,
        task.study_name,
        worker=worker,
        stop=link.stopping,
        on_event=link.tell,
        deadline=task.deadline,
        make_trainer=make_trainer,
        **said,
    )
    return Ended("recycled" if link.recycled and reason == "stopped" else reason)


class Link:
    """The worker's side of its line to the parent: passes events on, and knows when to stop.

    Args:
        send: takes a message to the parent, from any thread.

    Attributes:
        recycled: whether it stops because a limit was reached.
    """

    def __init__(self, limits: Limits, send: Callable[[object], None]) -> None:
        self.recycled = False
        self._recycling = Recycling(limits)
        self._send = send
        self._stop = False  # a plain bool: a signal handler may not wait for a lock
        self._last_epoch = 0.0

    def stop(self) -> None:
        self._stop = True

    def stopping(self) -> bool:
        return self._stop

    def tell(self, event: Event) -> None:
        """Pass on an event of the loop, and see after each trial whether a limit is reached."""
        from tuner.search.events import EpochDone, TrialDone

        if isinstance(event, EpochDone):
            now = time.monotonic()
            if now - self._last_epoch < EPOCH_EVERY:
                return
            self._last_epoch = now
        self._send(event)
        if isinstance(event, TrialDone) and self._recycling.due():
            self.recycled = True
            self.stop()
