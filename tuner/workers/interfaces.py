"""What the pool needs: workers and their task, an engine that starts them, and a display."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tuner.errors import TunerError
from tuner.search.events import Event, TrialDone, TrialReturned, TrialStarted, WorkerReady
from tuner.workers.recycling import WorkerLimits

if TYPE_CHECKING:
    from tuner.search.trainer import TrainerLike
    from tuner.study.definition import StudyDefinition

MakeTrainer = Callable[["StudyDefinition"], "TrainerLike"]


@dataclass(frozen=True)
class Task:
    """Parent to worker, once: the study to work on.

    `deadline` is in seconds since 1970; `heartbeat` and `grace` in seconds, None for the loop's
    own defaults; `artifacts` is the folder of its checkpoints, None for the default one;
    `every_epoch`: it tells of each, however short; `code` is the hash of the file of the study's
    own code that may be loaded.
    """

    storage_url: str
    study_name: str
    deadline: float | None = None
    heartbeat: float | None = None
    grace: float | None = None
    artifacts: str | None = None
    every_epoch: bool = False
    code: str | None = None


@dataclass(frozen=True)
class Ended:
    """Worker to parent, last.

    Attributes:
        reason: `done`, `stopped` or `deadline`: as the loop says. `recycled`: a limit of
            `tuner.workers.recycling.WorkerLimits` was reached. `failed`: by an error that any
            other worker would meet too. `crashed`: by an exception that nobody expected, whose
            traceback is in the worker's log.
        error: of `failed`.
        text: of `crashed`, as `Type: message`.
    """

    reason: Literal["done", "stopped", "deadline", "recycled", "failed", "crashed"]
    error: TunerError | None = None
    text: str = ""

    @property
    def in_order(self) -> bool:
        """Whether the loop returned, so that no trial is left behind."""
        return self.reason not in ("failed", "crashed")


@dataclass(frozen=True)
class Running:
    """A trial that a worker has begun; `since` by `time.monotonic`."""

    started: TrialStarted
    since: float


class Worker(Protocol):
    """One worker from its start to its end, seen by the pool. No method but `join` blocks.

    Attributes:
        number: the place in the pool, from 0.
        name: its process as `tuner.storage.owner.process_name` names it; None: not known yet.
        ready: whether it asks for trials, so that it may hold one.
        stopping: whether it was asked to end.
        ended: how it says that it ended; None: it has not.
        lost: whether it died with its machine, for which no trial can be blamed.
        running: the trials it holds, by number, as far as it has told.
    """

    number: int
    running: dict[int, Running]
    name: str | None = None
    ready: bool = False
    stopping: bool = False
    ended: Ended | None = None
    lost: bool = False

    def __init__(self, number: int) -> None:
        self.number = number
        self.running = {}

    def hear(self, event: Event) -> None:
        """Take an event of its own into account."""
        if isinstance(event, WorkerReady):
            self.ready = True
        elif isinstance(event, TrialStarted):
            self.running[event.number] = Running(event, time.monotonic())
        elif isinstance(event, TrialDone | TrialReturned):
            self.running.pop(event.number, None)

    def waitables(self) -> list[Connection[Any, Any] | int]:
        """What `multiprocessing.connection.wait` should wait for on this worker's account; the
        pool looks at it five times a second in any case."""
        return []

    @property
    def alive(self) -> bool:
        """False once it has ended and all that it told can be received."""

    def give(self, task: Task) -> None:
        """Tell it what to work on; once."""

    def receive(self) -> Iterator[Event]:
        """Every event that has arrived, in order."""

    def read_log(self) -> list[str]:
        """New whole lines of its output, with its number in front and without the chatter of its
        libraries."""

    def stop(self) -> None:
        """Ask it to end: at the next epoch, or before the first trial."""

    def kill(self) -> None:
        """End it, whatever it does."""

    def join(self, timeout: float) -> None:
        """Wait until it has ended, for so many seconds."""

    def memory(self) -> int | None:
        """Resident bytes of its process; None: not known, or ended."""

    def death(self) -> str:
        """How it ended, if it did not tell: `killed by SIGKILL` or `exit code 1`."""

    def close(self) -> None:
        """Release what the parent holds for a worker that has ended."""


#: From a place in the pool to a worker that begins to import, and then waits for its task.
StartWorker = Callable[[int], Worker]


class Engine(AbstractContextManager["Engine", None], Protocol):
    """Where workers run. Within its `with` block it starts them."""

    def capacity(self) -> int:
        """How many workers may run at a time, at least 1."""

    def start(self, number: int, make_trainer: MakeTrainer | None, limits: WorkerLimits) -> Worker:
        """Start the worker of place `number`, or the next one after the last has ended.

        Args:
            make_trainer: a picklable function for `run_worker`; None for the real trainer.
            limits: when it gives way to a fresh one.
        """


class Display(Protocol):
    """Who is told what happens, in the thread that runs the pool."""

    def event(self, event: Event) -> None: ...

    def line(self, text: str) -> None:
        """Something to read that is no event: a worker's output, a notice."""

    def tick(self) -> None:
        """Called at least five times a second."""

    def close(self) -> None:
        """Called once, at the end."""
