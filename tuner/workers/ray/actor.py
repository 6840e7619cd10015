"""A worker as a Ray actor: what runs on the cluster.

Events are told at best effort: those of an answer that gets lost are lost. What they tell of is in
the storage.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TextIO, cast

from tuner.search.events import Event
from tuner.storage.owner import process_name, this_place
from tuner.workers.environment import thread_variables
from tuner.workers.interfaces import Ended, MakeTrainer, Task
from tuner.workers.ray.nodes import Share
from tuner.workers.recycling import WorkerLimits, resident_bytes
from tuner.workers.runner import LoopRunner

#: Events and lines that a worker keeps for a parent that does not ask.
KEPT = 10_000


@dataclass(frozen=True)
class Setup:
    """Where and with what a worker works.

    Attributes:
        machine: the parent's `tuner.storage.owner.this_place()`; workers there use its files.
        folder: the parent's working directory.
        share: what it has of its node.
        variables: of the parent's environment, to be set.
    """

    machine: str
    folder: str
    share: Share
    variables: tuple[tuple[str, str], ...] = ()

    def apply(self) -> None:
        """Make it so in this process."""
        os.environ.update(self.variables, **thread_variables(self.share.threads))
        if self.share.gpus:
            # Else the first of several workers takes the whole memory of the GPU they share.
            os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
        if this_place() == self.machine:
            os.chdir(self.folder)


@dataclass(frozen=True)
class News:
    """What a worker answers.

    Attributes:
        name: `process_name` of its process.
        node: its node, as Ray names it.
        address: the node's IP address.
        ready: whether the loop asks for trials.
        memory: resident bytes of the process.
        events: those since the last answer.
        lines: what it printed since then.
        end: how the work ended; None while it goes on.
    """

    name: str
    node: str
    address: str
    ready: bool
    memory: int
    events: tuple[Event, ...] = ()
    lines: tuple[str, ...] = ()
    end: Ended | None = None


class TunerWorker:
    """The actor. It imports and works in a thread of its own, and answers meanwhile.

    Args:
        number: the worker's place in the pool.
        make_trainer, limits: see `tuner.workers.interfaces.Engine.start`.
    """

    def __init__(
        self, number: int, make_trainer: MakeTrainer | None, limits: WorkerLimits, setup: Setup
    ) -> None:
        setup.apply()
        self._where = node_and_address()
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._end: Ended | None = None
        self._runner = LoopRunner(
            number, make_trainer, limits, self._events.append, setup.share.threads
        )
        capture_output(self._lines.append)
        threading.Thread(target=self._run, name="work", daemon=True).start()

    def poll(self, task: Task | None, stop: bool) -> News:
        """What is new since the last call.

        Args:
            task: what to work on, once it is known; the first one counts.
            stop: whether to end: at the next epoch, or before the loop begins.
        """
        if stop:
            self._runner.stop()
        if stop or task is not None:
            self._tasks.put(task)
        # In this order: nothing is told after the end, nor before it is ready.
        end, events = self._end, _taken(self._events)
        return News(
            process_name(os.getpid()),
            *self._where,
            self._runner.ready,
            resident_bytes(),
            events,
            _taken(self._lines),
            end,
        )

    def _run(self) -> None:
        self._end = self._runner.run(self._tasks.get)


def node_and_address() -> tuple[str, str]:
    """Of the actor that this process is."""
    import ray

    return ray.get_runtime_context().get_node_id(), ray.util.get_node_ip_address()


def capture_output(tell: Callable[[str], None]) -> None:
    """Tell each line that this process prints, too."""
    sys.stdout = cast("TextIO", Lines(sys.stdout, tell))
    sys.stderr = cast("TextIO", Lines(sys.stderr, tell))


class Lines(io.TextIOBase):
    """A text stream whose whole lines are told, too."""

    def __init__(self, stream: TextIO, tell: Callable[[str], None]) -> None:
        self._stream = stream
        self._tell = tell
        self._partial = ""

    def write(self, text: str) -> int:
        self._stream.write(text)
        *whole, self._partial = (self._partial + text).split("\n")
        for line in whole:
            if line.strip():
                self._tell(line.rstrip())
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()


def _taken(kept: deque[Any]) -> tuple[Any, ...]:
    """What is in `kept`, which another thread adds to; it is not in there any more."""
    return tuple(kept.popleft() for _ in range(len(kept)))
