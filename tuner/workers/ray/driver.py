"""A worker on a cluster, seen by the pool. Ray is imported when one is made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from tuner.errors import TunerError
from tuner.search.events import Event
from tuner.workers.interfaces import Ended, MakeTrainer, Task, Worker
from tuner.workers.ray.actor import News, Setup, TunerWorker
from tuner.workers.recycling import WorkerLimits

#: Seconds without an answer, while the cluster does not know of a death, after which the worker is
#: taken for dead. A cluster finds a node dead after 20 to 50.
LOST_AFTER = 55.0
#: Seconds after which a worker that has never answered is said to wait for a node.
NODE_PATIENCE = 20.0


class RayWorker(Worker):
    """A worker that is a Ray actor.

    It is asked what is new whenever the pool looks at it. It gets its task with the question after
    its first answer: who has never answered has no trial, and can be killed.

    Args:
        actor: of `start_actor`.
        wants: what it needs of a node, for people.
        notices: lines that belong to no worker; told along with this one's output.
    """

    def __init__(
        self, number: int, actor: Any, *, wants: str = "", notices: deque[str] | None = None
    ) -> None:
        super().__init__(number)
        self._actor = actor
        self._wants = wants
        self._notices = deque() if notices is None else notices
        self._task: Task | None = None
        self._last: News | None = None
        self._inbox: deque[Event] = deque()
        self._output: deque[str] = deque()
        self._over = self._killed = False
        self._cause = "cannot be reached"
        self._heard_at = time.monotonic()
        self._tell_of_waiting_at = self._heard_at + NODE_PATIENCE
        self._answer: Future[News] = self._ask(None)

    @property
    def alive(self) -> bool:
        if not self._over and self._answer.done():
            self._take(self._answer)
            if not self._over:
                task = None if self._last is None or self._last.ready else self._task
                self._answer = self._ask(task)
        elif self._last is None and time.monotonic() >= self._tell_of_waiting_at:
            self._tell_of_waiting_at = float("inf")
            self._output.append(f"waits for a node with {self._wants}")
        return not self._over

    def give(self, task: Task) -> None:
        self._task = task

    def receive(self) -> Iterator[Event]:
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
        if self._last is None:
            self.kill()
            self._over = True

    def kill(self) -> None:
        if not self._killed:
            import ray

            self._killed = True
            ray.kill(self._actor)

    def join(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        while self.alive and time.monotonic() < until:
            time.sleep(0.05)
        self._over = True

    def memory(self) -> int | None:
        return None if self._over or self._last is None else self._last.memory

    def death(self) -> str:
        return self._cause

    def close(self) -> None:
        self._over = True
        self.kill()

    def _ask(self, task: Task | None) -> Future[News]:
        """Ask `TunerWorker.poll`. The answer comes once a node has taken the actor."""
        try:
            answer: Future[News] = self._actor.poll.remote(task, self.stopping).future()
        except Exception as error:
            answer = Future()
            answer.set_exception(error)
        return answer

    def _take(self, answer: Future[News]) -> None:
        try:
            news = answer.result()
        except Exception as error:
            if is_dead(error) or time.monotonic() - self._heard_at > LOST_AFTER:
                self._die(error)
            else:
                self.running.clear()  # their ends may have got lost: no limit may fall on others
            return
        self._heard_at, self._last, self.name = time.monotonic(), news, news.name
        self.ready = self.ready or news.ready  # the event that tells it may be lost
        self._inbox.extend(news.events)
        self._output.extend(news.lines)
        self.ended = news.end
        self._over = news.end is not None

    def _die(self, error: Exception) -> None:
        """It is over without a last word."""
        self._over = True
        if self._last is not None:
            self.lost = not is_up(self._last.node)
            process = f"process {self._last.name.rpartition(':')[2]} on {self._last.address}"
            how = "was lost with its node" if self.lost else "ended without a word"
            self._cause = f"{how} ({process})"
            return
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        self._cause = f"cannot start on the cluster: {lines[-1] if lines else type(error).__name__}"
        if cannot_start(error) and not self.stopping and not self._killed:
            self.ended = Ended("failed", TunerError(f"a worker {self._cause}"))


def start_actor(
    number: int, make_trainer: MakeTrainer | None, limits: WorkerLimits, setup: Setup
) -> Any:
    """A handle of a new `TunerWorker` on the cluster."""
    import ray

    options = ray.remote(TunerWorker).options(
        num_cpus=setup.share.cpus, num_gpus=setup.share.gpus, scheduling_strategy="SPREAD"
    )
    return options.remote(number, make_trainer, limits, setup)


def is_up(node: str) -> bool:
    """Whether the node is still part of the cluster."""
    import ray

    return any(row["NodeID"] == node and row["Alive"] for row in ray.nodes())


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
