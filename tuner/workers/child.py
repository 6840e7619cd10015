"""The main function of a worker process.

It begins with the slow part (importing TensorFlow, about 4 s), while the parent prepares the
study, and then waits for its `Task`. SIGINT is ignored: a terminal sends it to the whole process
group, and the parent decides. SIGTERM ends the process at once until the loop begins, as there is
nothing to lose; from then on it asks the loop to end at the next epoch. The end of the pipe (the
parent died) asks the same.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from tuner.workers.messages import Ended, Entered, Limits, Task
from tuner.workers.serving import Link, import_trainer, outcome_of, work_on
from tuner.workers.worker import MakeTrainer


def work(
    worker: int,
    channel: Connection[Any, Any],
    log: Connection[Any, Any],
    make_trainer: MakeTrainer | None,
    limits: Limits,
) -> None:
    """Work on the task that `channel` brings.

    Everything written to stdout and stderr goes to `log`. The last message on `channel` is an
    `Ended`, `Failed` or `Crashed`; a process that ends without one was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    pipe = Pipe(channel)
    link = Link(limits, pipe.send)
    pipe.on_end = link.stop

    def serve() -> Ended:
        import_trainer(make_trainer)
        # What is imported stays: the collector need not look at it again. Looking at TensorFlow's
        # objects takes 0.3 s, so that it would do so rarely, and dropped graphs would pile up.
        gc.collect()
        gc.freeze()
        try:
            task = channel.recv()
        except EOFError:
            os._exit(0)  # the parent died before it had a task for us
        assert isinstance(task, Task)
        signal.signal(signal.SIGTERM, lambda *_: link.stop())
        pipe.watch_parent()
        pipe.send(Entered())
        return work_on(task, worker, link, make_trainer)

    try:
        pipe.send(outcome_of(serve))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Skips the teardown of TensorFlow's threads, which takes 0.3 s and nobody needs.
        os._exit(0)


class Pipe:
    """The worker's end of the pipe to its parent.

    Attributes:
        on_end: called when the parent is gone.
    """

    def __init__(self, channel: Connection[Any, Any]) -> None:
        self.on_end = lambda: None
        self._channel = channel
        self._lock = threading.Lock()  # a heartbeat thread may have something to tell as well

    def watch_parent(self) -> None:
        """Notice the end of the pipe, in a thread of its own: the parent sends nothing more."""

        def watch() -> None:
            try:
                self._channel.recv()
            except (EOFError, OSError):
                self.on_end()

        threading.Thread(target=watch, name="watch-parent", daemon=True).start()

    def send(self, message: object) -> None:
        try:
            with self._lock:
                self._channel.send(message)
        except OSError:
            self.on_end()
