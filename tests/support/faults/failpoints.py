"""Dying, or being stopped, at a chosen point of a worker's way through the storage.

Nothing in `tuner` knows of this: a worker of these benchmarks gets a backend (see
`tuner.storage.backend`) whose steps do to the process what is asked for.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from optuna.trial import TrialState

from tuner.storage.backend import Backend, Writes

Point = Literal[
    "pop:inside",
    "pop:after",
    "sweep:between",
    "sweep:inside",
    "tell:before",
    "tell:inside",
    "tell:after",
]

#: What a worker is at there. `inside` a step, all of it is written and nothing committed; in a
#: journal, some of its records are.
POINTS: dict[Point, str] = {
    "pop:inside": "in the pop of a ticket, before its commit",
    "pop:after": "after the pop of a ticket, before the next heartbeat",
    "sweep:between": "between failing a dead worker's trial and queueing its ticket again",
    "sweep:inside": "queueing a dead worker's ticket again, before the commit",
    "tell:before": "before the result is written",
    "tell:inside": "in the writing of a result, before its commit",
    "tell:after": "after a result is written, before anybody is told",
}


@dataclass(frozen=True)
class Failpoint:
    """What a worker does to itself, and where.

    Args:
        every: it does so each time it has come to the point this often.
        act: SIGKILL or SIGSTOP.
    """

    point: Point
    every: int = 1
    act: signal.Signals = signal.SIGKILL


def arm(backend: Backend, failpoint: Failpoint, note: Callable[[], None]) -> Backend:
    """Put `failpoint` into the steps of `backend`; `note` is called right before the deed."""
    armed = _Armed(backend, failpoint, note)
    for name in ("pop", "claim", "write", "add_trials"):
        setattr(backend, name, getattr(armed, name))
    return backend


class _Armed:
    """The steps of a backend that a worker changes a study by."""

    def __init__(self, backend: Backend, failpoint: Failpoint, note: Callable[[], None]) -> None:
        self._pop, self._claim = backend.pop, backend.claim
        self._write, self._add = backend.write, backend.add_trials
        self._failpoint = failpoint
        self._note = note
        self._passed = 0
        self._step = threading.local()  # the thread of the heartbeat commits too
        self._commits = backend.atomic  # each step of a database is one transaction
        if self._commits:
            from sqlalchemy import event

            event.listen(backend._rdb.engine, "commit", self._commit)  # type: ignore[attr-defined]

    def pop(self, *args: Any) -> bool:
        with self._at("pop"):
            popped = self._pop(*args)
        if popped:
            self._reach("pop:after")
        return popped

    def claim(self, *args: Any) -> list[int]:
        within = self._name == "pop"  # it pops by claiming one
        with self._at("pop"):
            claimed = self._claim(*args)
        if claimed and not within:
            self._reach("pop:after")
        return claimed

    def write(self, trial_id: int, writes: Writes, owner: str | None) -> None:
        if writes.state in (None, TrialState.FAIL):
            if not self._commits and self._name == "pop":
                self._reach("pop:inside")
            self._write(trial_id, writes, owner)
            if writes.state == TrialState.FAIL:
                self._reach("sweep:between")
            return
        self._reach("tell:before")
        with self._at("tell"):
            self._write(trial_id, writes, owner)
        self._reach("tell:after")

    def add_trials(self, *args: Any) -> int:
        with self._at("sweep"):
            return self._add(*args)

    @contextmanager
    def _at(self, step: str) -> Iterator[None]:
        before, self._step.name = self._name, step
        try:
            yield
        finally:
            self._step.name = before

    @property
    def _name(self) -> str | None:
        return getattr(self._step, "name", None)

    def _commit(self, connection: Any) -> None:
        """SQLAlchemy calls this right before it commits."""
        if self._name is not None:
            self._reach(f"{self._name}:inside")

    def _reach(self, point: str) -> None:
        if point != self._failpoint.point:
            return
        self._passed += 1
        if self._passed % self._failpoint.every == 0:
            self._note()
            os.kill(os.getpid(), self._failpoint.act)
