"""The parent's side of one life of a worker on a cluster."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing.connection import Connection, wait
from typing import Any

from tuner.errors import TunerError
from tuner.search.events import Event
from tuner.workers.messages import Crashed, Ended, Entered, Failed, Message, Task
from tuner.workers.ray.bell import Bell
from tuner.workers.ray.remote import GoneError, Remote, UnreachableError
from tuner.workers.ray.station import Report, Said

#: Seconds without an answer, while the cluster says there can be none, after which a life is over.
LOST_AFTER = 15.0
#: Seconds between questions to a worker that cannot answer.
AGAIN = 0.3
#: Seconds that a worker which has never answered gets to end by itself.
STOP_PATIENCE = 2.0
#: Seconds after which a worker that has never answered is said to wait for room.
ROOM_PATIENCE = 20.0
#: Seconds to wait for the end of a worker that was killed.
KILL_PATIENCE = 5.0


class ClusterWorker:
    """A `tuner.workers.worker.Worker` somewhere on a cluster.

    It asks again and again what there is to tell. Each question says all that the worker shall
    know and how many of its messages have arrived, so a question or an answer that is lost loses
    nothing. When its process dies the cluster starts another one, which shows by an answer from
    another life: this one is over then, and the next `ClusterWorker` follows it.

    Args:
        after: a life that has ended and may still answer.
        wants: what it needs of a node, for people.
        notices: lines that belong to no worker; told along with this one's output.
        closed: called when the pool wants nothing more of it.

    Attributes:
        life: of the answers, None before the first.
        lost: whether it died with its node, for which no trial can be blamed.
        finished: whether it ended by saying so.
        gone: whether the cluster will not start it again.
    """

    def __init__(
        self,
        number: int,
        remote: Remote,
        *,
        after: str | None = None,
        wants: str = "",
        notices: deque[str] | None = None,
        closed: Callable[[ClusterWorker], None] = lambda worker: None,
    ) -> None:
        self.number = number
        self.remote = remote
        self.name: str | None = None
        self.entered = False
        self.stopping = False
        self.ended: Message | None = None
        self.life: str | None = None
        self.lost = self.finished = self.gone = False
        self._after = after
        self._wants = wants
        self._notices = deque() if notices is None else notices
        self._closed = closed
        self._over = False
        self._cause = ""
        self._task: Task | None = None
        self._seen = 0
        self._told_entered = False
        self._inbox: deque[Any] = deque()
        self._output: deque[str] = deque()
        self._last: Report | None = None
        self._bell = Bell()
        self._call: Future[Report] | None = None
        now = time.monotonic()
        self._ask_at, self._heard_at = now, now
        self._room_by: float | None = now + ROOM_PATIENCE
        self._stop_by: float | None = None
        self._ask()

    def waitables(self) -> list[Connection[Any, Any] | int]:
        return [self._bell.fileno()]

    @property
    def alive(self) -> bool:
        self._look()
        return not self._over

    def give(self, task: Task) -> None:
        self._task = task
        self._ask()

    def receive(self) -> Iterator[Event | Message]:
        while self._inbox:
            yield self._inbox.popleft()

    def read_log(self) -> list[str]:
        lines = [f"worker {self.number}: {line}" for line in self._output]
        self._output.clear()
        while self._notices:
            lines.append(self._notices.popleft())
        return lines

    def stop(self) -> None:
        self.stopping = True
        self._stop_by = time.monotonic() + STOP_PATIENCE
        self._ask()

    def kill(self) -> None:
        if not self.gone:
            self.gone = True
            self.remote.kill(restart=False)

    def join(self, timeout: float | None = None) -> None:
        until = time.monotonic() + (KILL_PATIENCE if timeout is None else timeout)
        while self.alive and time.monotonic() < until:
            wait(self.waitables(), timeout=0.1)
        self._over = True

    def memory(self) -> int | None:
        return None if self._over or self._last is None else self._last.memory

    def death(self) -> str:
        return self._cause

    def close(self) -> None:
        self._over = True
        self._bell.close()
        self._closed(self)

    def _ask(self) -> None:
        """Ask what is new. A question still open needs no answer any more."""
        if self._over:
            return
        self._call = self.remote.listen(self.life, self._seen, self._task, self.stopping)
        self._call.add_done_callback(self._bell.ring)

    def _look(self) -> None:
        """See what has arrived, and ask or give up where it is time to."""
        self._bell.clear()
        if not self._over and self._call is not None and self._call.done():
            call, self._call = self._call, None
            self._hear(call)
        now = time.monotonic()
        if not self._over and self._call is None and now >= self._ask_at:
            self._ask()
        if self._over or self.life is not None:
            return
        if self._stop_by is not None and now >= self._stop_by:
            self.kill()  # it has no node yet, or has just got one: nothing is lost
            self._over = True
        elif self._room_by is not None and now >= self._room_by:
            self._room_by = None
            self._output.append(f"waits for a node with {self._wants}")

    def _hear(self, call: Future[Report]) -> None:
        now = time.monotonic()
        try:
            report = call.result()
        except GoneError as error:
            if self.life is None and not self.stopping and not self.gone:
                text = f"a worker cannot start on the cluster: {error}"
                self._inbox.append(Failed(TunerError(text)))
            self.gone = True
            self._die()
        except UnreachableError:
            self._ask_at = now + AGAIN
            if self.life is not None and now - self._heard_at > LOST_AFTER:
                self._die()
        else:
            self._heard_at = now
            self._take(report)

    def _take(self, report: Report) -> None:
        if report.life == self._after:
            self._ask_at = time.monotonic() + AGAIN
            return
        if self.life is not None and report.life != self.life:
            self._die()
            return
        self.life, self.name, self._last = report.life, report.name, report
        if report.entered and not self._told_entered:
            self._told_entered = True
            self._inbox.append(Entered())
        for message in report.messages[max(0, self._seen - report.first) :]:
            self._sort(message, report)
        self._seen = max(self._seen, report.first + len(report.messages))
        self._ask()

    def _sort(self, message: object, report: Report) -> None:
        if isinstance(message, Said):
            self._output.extend(message.lines)
            return
        if isinstance(message, Ended | Failed | Crashed):
            self._over = self.finished = True
            if isinstance(message, Ended) and not report.entered:
                return  # it was stopped before it began: as if it had been killed
        self._inbox.append(message)

    def _die(self) -> None:
        """The life is over without a last word."""
        self._over = True
        if self._last is not None:
            self.lost = not self.remote.lives(self._last.node)
            process = f"process {self._last.name.rpartition(':')[2]} on {self._last.address}"
            self._cause = f"was lost with its node ({process})"
            if not self.lost:
                self._cause = f"ended without a word ({process})"
