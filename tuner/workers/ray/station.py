"""The worker's side: what runs as a Ray actor. Knows nothing of Ray, and imports nothing heavy.

Its methods are called from threads of Ray's; the work is done in a thread of its own.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO, cast

from tuner.storage.owner import process_name, this_place
from tuner.workers.messages import Ended, Limits, Message, Task
from tuner.workers.recycling import resident_bytes
from tuner.workers.serving import Link, environment, import_trainer, outcome_of, work_on
from tuner.workers.worker import MakeTrainer

#: Seconds for which a call of `listen` waits for something to tell.
LISTEN = 5.0


@dataclass(frozen=True)
class Site:
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


@dataclass(frozen=True)
class Said:
    """Whole lines that the worker printed."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The answer of a worker that lives.

    Attributes:
        life: a name of this process; Ray's next start of the same actor has another.
        name: `process_name` of the process.
        node: its node, as Ray names it.
        address: the node's IP address.
        entered: whether the loop has begun.
        memory: resident bytes of the process.
        first: the number of the first message; they count from 0 in each life.
        messages: events, `Said`, and last an `Ended`, `Failed` or `Crashed`.
    """

    life: str
    name: str
    node: str
    address: str
    entered: bool
    memory: int
    first: int
    messages: tuple[object, ...]


class Station:
    """One life of a worker: begins to import, works on its task, keeps what it has to tell until
    the parent has it.

    Args:
        number: the worker's place in the pool.
        make_trainer, limits: see `tuner.workers.worker.Engine.start`.
        node, address: see `Report`.
        capture: whether what is printed becomes `Said`.
    """

    def __init__(
        self,
        number: int,
        make_trainer: MakeTrainer | None,
        limits: Limits,
        site: Site,
        *,
        node: str = "",
        address: str = "this machine",
        capture: bool = True,
    ) -> None:
        os.environ.update(site.variables, **environment(site.threads))
        if site.gpu:
            # Else the first of several workers takes the whole memory of the GPU they share.
            os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
        if this_place() == site.machine:
            os.chdir(site.folder)
        self._number = number
        self._make_trainer = make_trainer
        self._threads = site.threads
        self._life = uuid.uuid4().hex
        self._place = (process_name(os.getpid()), node, address)
        self._news = threading.Condition()
        self._kept: list[object] = []
        self._first = 0
        self._calls = 0
        self._task: Task | None = None
        self._entered = False
        self._link = Link(limits, self._tell)
        if capture:
            sys.stdout = cast("TextIO", Lines(sys.stdout, self._tell))
            sys.stderr = cast("TextIO", Lines(sys.stderr, self._tell))
        threading.Thread(target=self._serve, name="work", daemon=True).start()

    def listen(self, life: str | None, seen: int, task: Task | None, stop: bool) -> Report:
        """What there is to tell; waits for it up to `LISTEN` seconds, or until the next call.

        Args:
            life: the one that the caller knows. Without one, or with another one, it is told at
                once which this is.
            seen: so many messages of this life have arrived.
            task: what to work on, once it is known.
            stop: whether to end: at the next epoch, or at once where the loop has not begun.
        """
        with self._news:
            self._calls += 1
            self._news.notify_all()
            if life is not None and life != self._life:
                return self._report(())
            del self._kept[: max(0, seen - self._first)]
            self._first = max(seen, self._first)
            self._task = self._task or task
            if stop:
                self._link.stop()
            call = self._calls
            if life is not None:
                self._news.wait_for(lambda: self._kept or self._calls != call, LISTEN)
            return self._report(tuple(self._kept))

    def _report(self, messages: tuple[object, ...]) -> Report:
        return Report(
            self._life, *self._place, self._entered, resident_bytes(), self._first, messages
        )

    def _tell(self, message: object) -> None:
        with self._news:
            self._kept.append(message)
            self._news.notify_all()

    def _serve(self) -> None:
        self._tell(outcome_of(self._work))

    def _work(self) -> Message:
        import_trainer(self._make_trainer, self._threads)
        with self._news:
            self._news.wait_for(lambda: self._task is not None or self._link.stopping())
            if self._task is None or self._link.stopping():
                return Ended("stopped")
            self._entered = True
        return work_on(self._task, self._number, self._link, self._make_trainer)


class Lines(io.TextIOBase):
    """A text stream whose whole lines are told, too."""

    def __init__(self, stream: TextIO, tell: Callable[[object], None]) -> None:
        self._stream = stream
        self._tell = tell
        self._partial = ""

    def write(self, text: str) -> int:
        self._stream.write(text)
        *whole, self._partial = (self._partial + text).split("\n")
        lines = tuple(line.rstrip() for line in whole if line.strip())
        if lines:
            self._tell(Said(lines))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()
