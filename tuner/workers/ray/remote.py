"""What the parent's side of a worker needs of the cluster; Ray behind it, or a stand-in."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from tuner.workers.messages import Task
from tuner.workers.ray.station import Report


class UnreachableError(Exception):
    """There can be no answer now: the worker is being started again, or the network is down."""


class GoneError(Exception):
    """The worker is dead and the cluster will not start it again. Says why."""


class Remote(Protocol):
    """A worker somewhere, which the cluster starts again when its process or its node dies."""

    def listen(self, life: str | None, seen: int, task: Task | None, stop: bool) -> Future[Report]:
        """Ask `Station.listen`. The future raises `UnreachableError` or `GoneError`."""

    def kill(self, *, restart: bool) -> None:
        """End its process at once; with `restart` the cluster starts another."""

    def lives(self, node: str) -> bool:
        """Whether the node is still part of the cluster."""
