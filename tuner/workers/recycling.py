"""When a worker gives way to a fresh one."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

from tuner.workers.messages import Limits


class Recycling:
    """Looks at one worker's process after each of its trials.

    Args:
        limits: see there.
        memory: resident bytes of the process.
    """

    def __init__(self, limits: Limits, memory: Callable[[], int] | None = None) -> None:
        self._limits = limits
        self._memory = memory or resident_bytes
        self._trials = 0
        self._settled = 0  # bytes, once the first trials are done

    def due(self) -> bool:
        """Whether the worker, which has just finished a trial, should give way."""
        limits = self._limits
        self._trials += 1
        if limits.trials is not None and self._trials >= limits.trials:
            return True
        if self._trials < limits.settle or (limits.memory is None and limits.growth is None):
            return False
        if self._trials == limits.settle:
            self._settled = self._memory()
        if not self._over(self._memory()):
            return False
        trim()  # it may only have been kept for the next allocation
        return self._over(self._memory())

    def _over(self, held: int) -> bool:
        memory, growth = self._limits.memory, self._limits.growth
        if memory is not None and held > memory:
            return True
        return growth is not None and held - self._settled > growth


def resident_bytes() -> int:
    """Of this process."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def trim() -> None:
    """Give freed memory back to the system, where the C library is glibc (malloc_trim(3))."""
    if sys.platform.startswith("linux"):
        malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if malloc_trim is not None:
            malloc_trim(0)
