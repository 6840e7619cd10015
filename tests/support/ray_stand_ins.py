"""A cluster without Ray: actors that work in threads of this process, and die on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from ray.exceptions import ActorDiedError, ActorUnavailableError

from tuner.search.events import TrialDone, TrialStarted
from tuner.workers.interfaces import Task
from tuner.workers.ray.actor import News, Setup, TunerWorker
from tuner.workers.ray.nodes import Share
from tuner.workers.recycling import WorkerLimits

TASK = Task("sqlite:///nowhere.db", "study")
ELSEWHERE = Setup("another machine", "/", Share())
Tell = Callable[[Any], None]
Stop = Callable[[], bool]


class StandIn:
    """A handle of an actor whose worker runs in this process: `poll.remote(...).future()`.

    Attributes:
        worker: what runs.
        down: whether there is no answer, although it lives.
        pending: whether no node has room for it yet, so that answers take their time.
        why: the error that answers have once it is dead.
        lose: how many of the next answers get lost on their way.
        node_is_up: whether its node is part of the cluster.
        killed: whether Ray was asked to end it.
    """

    def __init__(
        self,
        number: int = 0,
        make_trainer: Callable[..., Any] | None = None,
        limits: WorkerLimits | None = None,
        *_: object,
    ) -> None:
        self.worker = TunerWorker(
            number, make_trainer or no_trainer, limits or WorkerLimits(), ELSEWHERE
        )
        self.down = self.pending = self.killed = False
        self.why: Exception | None = None
        self.lose = 0
        self.node_is_up = True
        self.poll = SimpleNamespace(remote=self._poll)

    def _poll(self, task: Task | None, stop: bool) -> SimpleNamespace:
        answer: Future[News] = Future()
        threading.Thread(target=self._answer, args=(answer, task, stop), daemon=True).start()
        return SimpleNamespace(future=lambda: answer)

    def _answer(self, answer: Future[News], task: Task | None, stop: bool) -> None:
        while self.pending and self.why is None:
            threading.Event().wait(0.01)
        if self.why is not None:
            answer.set_exception(self.why)
        elif self.down:
            answer.set_exception(ActorUnavailableError("no way", None))
        else:
            news = self.worker.poll(task, stop)
            if self.lose:
                self.lose -= 1
                answer.set_exception(ActorUnavailableError("lost", None))
            else:
                answer.set_result(news)

    def die(self, *, with_node: bool = False) -> None:
        """The process ends."""
        self.node_is_up = not with_node
        self.why = self.why or ActorDiedError()
        self.worker.poll(None, True)

    def kill(self) -> None:
        self.killed = True
        self.die()


def no_trainer(definition: Any) -> Any:
    raise AssertionError("these loops train nothing")


def three_trials(worker: int, stop: Stop, tell: Tell) -> str:
    for number in range(3):
        tell(TrialStarted(worker, number, number, {}, 2))
        tell(TrialDone(worker, number, number, "complete", 0.5, 0.1))
    return "done"


def until_told(worker: int, stop: Stop, tell: Tell) -> str:
    tell(TrialStarted(worker, 7, 7, {}, 2))
    while not stop():
        threading.Event().wait(0.005)
    return "stopped"
