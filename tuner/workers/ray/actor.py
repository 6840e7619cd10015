"""A worker as a Ray actor: what runs on the cluster, and how it is reached from here.

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
from concurrent.futures import Future
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
        threads: of TensorFlow.
        gpu: whether Ray gives it (a share of) a GPU.
        variables: of the parent's environment, to be set.
    """

    machine: str
    folder: str
    threads: int = 1
    gpu: bool = False
    variables: tuple[tuple[str, str], ...] = ()

    def apply(self) -> None:
        """Make it so in this process."""
        os.environ.update(self.variables, **thread_variables(self.threads))
        if self.gpu:
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
        self._runner = LoopRunner(number, make_trainer, limits, self._events.append, setup.threads)
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


class RayActor:
    """A `TunerWorker` on the cluster, seen from here. No method blocks."""

    def __init__(
        self,
        number: int,
        make_trainer: MakeTrainer | None,
        limits: WorkerLimits,
        setup: Setup,
        share: Share,
    ) -> None:
        import ray

        self._ray = ray
        options = ray.remote(TunerWorker).options(
            num_cpus=share.cpus, num_gpus=share.gpus, scheduling_strategy="SPREAD"
        )
        self._handle = options.remote(number, make_trainer, limits, setup)

    def poll(self, task: Task | None, stop: bool) -> Future[News]:
        """Ask `TunerWorker.poll`. The answer comes once a node has room for the actor."""
        answer: Future[News]
        try:
            answer = self._handle.poll.remote(task, stop).future()
        except Exception as error:
            answer = Future()
            answer.set_exception(error)
        return answer

    def kill(self) -> None:
        """End its process at once."""
        self._ray.kill(self._handle)

    def is_up(self, node: str) -> bool:
        """Whether the node is still part of the cluster."""
        return any(row["NodeID"] == node and row["Alive"] for row in self._ray.nodes())


def is_dead(error: Exception) -> bool:
    """Whether an answer's error says that there will be no other; else ask again."""
    from ray.exceptions import ActorDiedError

    return isinstance(error, ActorDiedError) or cannot_start(error)


def cannot_start(error: Exception) -> bool:
    """Whether an answer's error says that no such actor could start, here or elsewhere."""
    from ray.exceptions import ActorDiedError, ActorUnschedulableError, RayTaskError

    if isinstance(error, ActorDiedError):
        return bool(error.actor_init_failed)
    return isinstance(error, ActorUnschedulableError | RayTaskError)


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
