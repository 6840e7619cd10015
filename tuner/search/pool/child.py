"""The main function of a worker process.

It begins with the slow part (importing TensorFlow, about 4 s), while the parent prepares the
study, and then waits for its `Task`. SIGINT is ignored: a terminal sends it to the whole process
group, and the parent decides. SIGTERM ends the process at once until the loop begins, as there is
nothing to lose; from then on it asks the loop to end at the next epoch. The end of the pipe (the
parent died) asks the same.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from importlib import import_module
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from tuner.errors import TunerError
from tuner.search.pool.messages import Crashed, Ended, Entered, Failed, Limits, Task
from tuner.search.pool.worker import MakeTrainer

if TYPE_CHECKING:
    from tuner.search.events import Event

#: Set before a worker starts: each of these libraries reads its variable when it is loaded.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

#: At most one `EpochDone` in this many seconds: an epoch may take 5 ms, and nobody can read that.
EPOCH_EVERY = 0.1


def work(
    worker: int,
    channel: Connection[Any, Any],
    log: Connection[Any, Any],
    make_trainer: MakeTrainer | None,
    limits: Limits,
) -> None:
    """Run the loop of `tuner.search.loop.run_worker` on the task that `channel` brings.

    Everything written to stdout and stderr goes to `log`. The last message on `channel` is an
    `Ended`, `Failed` or `Crashed`; a process that ends without one was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    link = Link(worker, channel, limits)
    try:
        if make_trainer is None:
            from tuner.training import set_threads

            set_threads()
            import_module("tuner.search.study_trainer")  # TensorFlow and Keras
        from tuner.search.loop import run_worker

        task = channel.recv()
        assert isinstance(task, Task)
        signal.signal(signal.SIGTERM, lambda *_: link.stop())
        link.watch_parent()
        link.send(Entered())
        reason = run_worker(
            task.storage_url,
            task.study_name,
            worker=worker,
            stop=link.stopping,
            on_event=link.tell,
            deadline=task.deadline,
            make_trainer=make_trainer,
            **{
                name: value
                for name, value in (("heartbeat", task.heartbeat), ("grace", task.grace))
                if value is not None
            },
        )
        link.send(Ended("recycled" if link.recycled and reason == "stopped" else reason))
    except EOFError:
        pass  # the parent died before it had a task for us
    except TunerError as error:
        link.send(Failed(error))
    except BaseException as error:  # the parent decides what a crash means
        traceback.print_exc()
        link.send(Crashed(f"{type(error).__name__}: {error}".splitlines()[0]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Skips the teardown of TensorFlow's threads, which takes 0.3 s and nobody needs.
        os._exit(0)


class Link:
    """The worker's side of the pipe: sends events, and knows when to stop."""

    def __init__(self, worker: int, channel: Connection[Any, Any], limits: Limits) -> None:
        self.recycled = False
        self._worker = worker
        self._channel = channel
        self._limits = limits
        self._lock = threading.Lock()  # a heartbeat thread may have something to tell as well
        self._stop = False  # a plain bool: a signal handler may not wait for a lock
        self._trials = 0
        self._last_epoch = 0.0

    def stop(self) -> None:
        self._stop = True

    def stopping(self) -> bool:
        return self._stop

    def watch_parent(self) -> None:
        """Stop when the pipe ends, in a thread of its own: the parent sends nothing more."""

        def watch() -> None:
            try:
                self._channel.recv()
            except (EOFError, OSError):
                self.stop()

        threading.Thread(target=watch, name="watch-parent", daemon=True).start()

    def send(self, message: object) -> None:
        """Send to the parent; when it is gone, stop."""
        try:
            with self._lock:
                self._channel.send(message)
        except OSError:
            self.stop()

    def tell(self, event: Event) -> None:
        """Pass on an event of the loop, and see after each trial whether a limit is reached."""
        from tuner.search.events import EpochDone, TrialDone

        if isinstance(event, EpochDone):
            now = time.monotonic()
            if now - self._last_epoch < EPOCH_EVERY:
                return
            self._last_epoch = now
        self.send(event)
        if isinstance(event, TrialDone):
            self._trials += 1
            if over(self._limits, self._trials):
                self.recycled = True
                self.stop()


def over(limits: Limits, trials: int) -> bool:
    """Whether a worker that has finished `trials` trials should give way to a fresh one."""
    if limits.trials is not None and trials >= limits.trials:
        return True
    if limits.memory is None or trials < limits.settle:
        return False
    import psutil

    return int(psutil.Process().memory_info().rss) > limits.memory
