"""Traced stacks, kept for the next training of the same shape in this process.

Owns the kept stacks. A training borrows one and gives it back, so threads never share one; a
second thread gets a stack of its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from tuner.training.stack import NetworkStack

#: A trace holds a few MB; the stack not used for the longest time goes first.
KEPT_STACKS = 16


class StackCache:
    """At most `limit` idle stacks by key."""

    def __init__(self, limit: int = KEPT_STACKS) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._idle: OrderedDict[Hashable, NetworkStack] = OrderedDict()

    def __len__(self) -> int:
        return len(self._idle)

    @contextmanager
    def borrow(self, key: Hashable, build: Callable[[], NetworkStack]) -> Iterator[NetworkStack]:
        """A stack for `key`, exclusively until the block ends; one that raised is dropped."""
        with self._lock:
            stack = self._idle.pop(key, None)
        if stack is None:
            stack = build()
        yield stack
        with self._lock:
            self._idle[key] = stack
            self._idle.move_to_end(key)
            while len(self._idle) > self._limit:
                self._idle.popitem(last=False)

    def clear(self) -> None:
        """Forget all idle stacks."""
        with self._lock:
            self._idle.clear()


#: The process's stacks: trainers of datasets with equal shapes share them.
STACKS = StackCache()
