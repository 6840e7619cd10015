"""What the pool needs: workers, an engine that starts them, and somebody who is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Protocol

from tuner.search.events import Event
from tuner.workers.messages import Ended, Task
from tuner.workers.recycling import WorkerLimits

if TYPE_CHECKING:
    from tuner.search.trainer import TrainerLike
    from tuner.study.definition import StudyDefinition

MakeTrainer = Callable[["StudyDefinition"], "TrainerLike"]


class Worker(Protocol):
    """One worker from its start to its end, seen by the pool. No method but `join` blocks.

    Attributes:
        number: the place in the pool, from 0.
        name: its process as `tuner.storage.owner.process_name` names it; None: not known yet.
        ready: whether it asks for trials, so that it may hold one. The pool sets it, too.
        stopping: whether it was asked to end.
        ended: how it says that it ended; None: it has not.
        lost: whether it died with its machine, for which no trial can be blamed.
    """

    number: int
    name: str | None = None
    ready: bool = False
    stopping: bool = False
    ended: Ended | None = None
    lost: bool = False

    def waitables(self) -> list[Connection[Any, Any] | int]:
        """What `multiprocessing.connection.wait` should wait for on this worker's account."""

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
