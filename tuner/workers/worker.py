"""What the pool needs of a worker, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from tuner.search.events import Event
from tuner.workers.messages import Limits, Message, Task

if TYPE_CHECKING:
    from tuner.search.trainer import TrainerLike
    from tuner.study.definition import StudyDefinition

MakeTrainer = Callable[["StudyDefinition"], "TrainerLike"]


class Worker(Protocol):
    """The parent's side of one life of a worker. No method but `join` blocks.

    Attributes:
        number: the place in the pool, from 0.
        name: its process as `tuner.storage.owner.process_name` names it; None: not known yet.
        entered: whether its loop has begun, so that it may hold a trial. Set by the pool.
        stopping: whether it was asked to end.
        ended: its last message, or None. Set by the pool.
        lost: whether it died with its machine, for which no trial can be blamed.
    """

    number: int
    name: str | None
    entered: bool
    stopping: bool
    ended: Message | None
    lost: bool

    def waitables(self) -> list[Connection[Any, Any] | int]:
        """What `multiprocessing.connection.wait` should wait for on this worker's account."""

    @property
    def alive(self) -> bool:
        """False once it has ended and all that it said can be received."""

    def give(self, task: Task) -> None:
        """Tell it what to work on; once."""

    def receive(self) -> Iterator[Event | Message]:
        """Every message that has arrived, in order."""

    def read_log(self) -> list[str]:
        """New whole lines of its output, with its number in front and without the chatter of its
        libraries."""

    def stop(self) -> None:
        """Ask it to end: at once while it still imports, else at the next epoch."""

    def kill(self) -> None:
        """End it, whatever it does."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""

    def memory(self) -> int | None:
        """Resident bytes of its process; None: not known, or ended."""

    def death(self) -> str:
        """How it ended, where it did not say so: `killed by SIGKILL` or `exit code 1`."""

    def close(self) -> None:
        """Release what the parent holds for a worker that has ended."""


#: From a place in the pool to a worker that begins to import, and then waits for its task.
StartWorker = Callable[[int], Worker]


class Engine(Protocol):
    """Where workers run. Within its `with` block it starts them."""

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def room(self) -> int:
        """How many workers it has room for, at least 1."""

    def start(self, number: int, make_trainer: MakeTrainer | None, limits: Limits) -> Worker:
        """Start the worker of place `number`, or the next one where the last has ended.

        Args:
            make_trainer: a picklable function for `run_worker`; None for the real trainer.
            limits: when it gives way to a fresh one.
        """
