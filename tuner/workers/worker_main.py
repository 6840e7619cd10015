"""The main function of a worker process.

It begins with the slow part (importing TensorFlow, about 4 s), while the parent prepares the
study, and then waits for its `Task`. SIGINT is ignored: a terminal sends it to the whole process
group, and the parent decides. SIGTERM ends the process at once until the loop asks for trials, as
there is nothing to lose; from then on it asks the loop to end at the next epoch. The end of the
pipe (the parent died) asks the same.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from tuner.search.events import Event, WorkerReady
from tuner.workers.interfaces import Ended, MakeTrainer, Task
from tuner.workers.recycling import WorkerLimits
from tuner.workers.runner import LoopRunner


def work(
    number: int,
    channel: Connection[Any, Any],
    log: Connection[Any, Any],
    make_trainer: MakeTrainer | None,
    limits: WorkerLimits,
) -> None:
    """Work on the task that `channel` brings.

    Everything written to stdout and stderr goes to `log`. The last message on `channel` is an
    `Ended`; a process that ends without one was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    sending = threading.Lock()  # a heartbeat thread may have something to tell as well

    def send(message: Event | Ended) -> None:
        if isinstance(message, WorkerReady):
            signal.signal(signal.SIGTERM, lambda *_: runner.stop())
        try:
            with sending:
                channel.send(message)
        except OSError:
            runner.stop()

    def watch_parent() -> None:
        try:
            channel.recv()  # it sends nothing more
        except (EOFError, OSError):
            runner.stop()

    def task() -> Task:
        # What is imported stays: the collector need not look at it again. Looking at TensorFlow's
        # objects takes 0.3 s, so that it would do so rarely, and dropped graphs would pile up.
        gc.collect()
        gc.freeze()
        try:
            received: Task = channel.recv()
        except EOFError:
            os._exit(0)  # the parent died before it had a task for us
        threading.Thread(target=watch_parent, name="watch-parent", daemon=True).start()
        return received

    runner = LoopRunner(number, make_trainer, limits, send)
    try:
        send(runner.run(task))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Skips the teardown of TensorFlow's threads, which takes 0.3 s and nobody needs.
        os._exit(0)
