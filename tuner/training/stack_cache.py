"""Traced stacks, kept for the next training of the same shape in this process.

Owns the kept stacks. A training borrows one and gives it back, so threads never share one; a
second thread gets a stack of its own, on the first one's trace.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from tuner.training.stack import NetworkStack
from tuner.training.trace import SharedTrace

#: A trace holds a few MB; the stack not used for the longest time goes first.
KEPT_STACKS = 16


class StackCache:
    """At most `limit` idle stacks; those of one key share their trace."""

    def __init__(self, limit: int = KEPT_STACKS) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        #: The one used last comes last.
        self._idle: list[tuple[Hashable, NetworkStack]] = []
        self._traces: WeakValueDictionary[Hashable, SharedTrace] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._idle)

    @contextmanager
    def borrow(
        self, key: Hashable, build: Callable[[SharedTrace], NetworkStack]
    ) -> Iterator[NetworkStack]:
        """A stack for `key`, exclusively until the block ends; one that raised is dropped."""
        with self._lock:
            own = [idle for idle in self._idle if idle[0] == key][-1:]
            self._idle = [idle for idle in self._idle if idle not in own]
            trace = self._traces.get(key)
            if trace is None:
                trace = self._traces[key] = SharedTrace()
        stack = own[0][1] if own else build(trace)
        yield stack
        with self._lock:
            self._idle.append((key, stack))
            del self._idle[: -self._limit]

    def clear(self) -> None:
        """Forget all idle stacks, and every trace."""
        with self._lock:
            self._idle.clear()
            self._traces.clear()


#: The process's stacks: trainers of datasets with equal shapes share them.
STACKS = StackCache()
