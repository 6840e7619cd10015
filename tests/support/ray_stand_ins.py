"""A cluster without Ray: stations in threads of this process, which die and come back on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from tuner.search.events import TrialDone, TrialStarted, WorkerReady
from tuner.workers.messages import Limits, Task
from tuner.workers.ray.remote import GoneError, UnreachableError
from tuner.workers.ray.station import Report, Site, Station

TASK = Task("sqlite:///nowhere.db", "study")
ELSEWHERE = Site("another machine", "/")
Tell = Callable[[Any], None]
Stop = Callable[[], bool]


class StandIn:
    """A `Remote` whose stations run in this process. Life n is on the node `node-n`.

    Attributes:
        stations: every life so far; the last one is asked.
        down: whether there is no answer, although it lives.
        pending: whether no node has room for it yet, so that answers take their time.
        why: of the end, once the cluster has given it up.
        left: nodes that are no longer part of the cluster.
        lose: how many of the next answers get lost on their way.
        kills: what `kill` was asked for, in order.
    """

    def __init__(
        self,
        number: int = 0,
        limits: Limits | None = None,
        make_trainer: Callable[..., Any] | None = None,
    ) -> None:
        self.stations: list[Station] = []
        self.down = self.pending = False
        self.why: str | None = None
        self.left: set[str] = set()
        self.lose = 0
        self.kills: list[bool] = []
        self._made_of = (number, make_trainer or no_trainer, limits or Limits(), ELSEWHERE)
        self.begin_life()

    def begin_life(self) -> None:
        node = f"node-{len(self.stations)}"
        self.stations.append(Station(*self._made_of, node=node, address=node, capture=False))

    def die(self, *, with_node: bool = False) -> None:
        """The process ends, and the cluster starts another one."""
        if with_node:
            self.left.add(f"node-{len(self.stations) - 1}")
        self.begin_life()  # first: nothing more is heard from the former one
        self.stations[-2]._link.stop()

    def listen(self, life: str | None, seen: int, task: Task | None, stop: bool) -> Future[Report]:
        answer: Future[Report] = Future()
        station = self.stations[-1]

        def ask() -> None:
            while self.pending and self.why is None:
                threading.Event().wait(0.01)
            if self.why is not None:
                answer.set_exception(GoneError(self.why))
            elif self.down:
                answer.set_exception(UnreachableError("no way"))
            else:
                report = station.listen(life, seen, task, stop)
                if station is not self.stations[-1] or self.lose or self.why is not None:
                    self.lose = max(0, self.lose - 1)
                    answer.set_exception(UnreachableError("lost"))
                else:
                    answer.set_result(report)

        threading.Thread(target=ask, daemon=True).start()
        return answer

    def kill(self, *, restart: bool) -> None:
        self.kills.append(restart)
        if restart:
            self.die()
        else:
            self.why = "it was killed"
            self.stations[-1]._link.stop()

    def lives(self, node: str) -> bool:
        return node not in self.left


def no_trainer(definition: Any) -> Any:
    raise AssertionError("these loops train nothing")


def three_trials(worker: int, stop: Stop, tell: Tell) -> str:
    tell(WorkerReady(worker))
    for number in range(3):
        tell(TrialStarted(worker, number, number, {}, 2))
        tell(TrialDone(worker, number, number, "complete", 0.5, 0.1))
    return "done"


def until_told(worker: int, stop: Stop, tell: Tell) -> str:
    tell(TrialStarted(worker, 7, 7, {}, 2))
    while not stop():
        threading.Event().wait(0.005)
    return "stopped"
