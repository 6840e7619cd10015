"""Who is told what happens in a pool."""

from __future__ import annotations

from typing import Protocol

from tuner.search.events import Event


class Watcher(Protocol):
    """Who is told what happens, in the thread that runs the pool."""

    def event(self, event: Event) -> None: ...

    def line(self, text: str) -> None:
        """Something to read that is no event: a worker's output, a notice."""

    def tick(self) -> None:
        """Called at least five times a second."""


class Display(Watcher, Protocol):
    """A watcher that is closed at the end."""

    def close(self) -> None: ...
