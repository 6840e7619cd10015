"""When a worker gives way to a fresh one."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerLimits:
    """When a worker gives way to a fresh one, looked at after each trial.

    Attributes:
        trials: finished trials after which a worker is replaced; None: never.
        memory: resident bytes above which it is replaced, once it has finished `settle` trials
            (so that data which alone exceed the limit do not cost a start for each trial).
        growth: bytes by which its memory may grow after its first `settle` trials; None: any.
            TensorFlow keeps some 4 MB of every graph that was ever traced.
        settle: see `memory`.
    """

    trials: int | None = None
    memory: int | None = None
    growth: int | None = None
    settle: int = 5


class Recycling:
    """Looks at one worker's process after each of its trials.

    Args:
        limits: see there.
        memory: resident bytes of the process.
    """

    def __init__(self, limits: WorkerLimits, memory: Callable[[], int] | None = None) -> None:
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
    """Give freed memory back to the system, if the C library is glibc (malloc_trim(3))."""
    if sys.platform.startswith("linux"):
        malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if malloc_trim is not None:
            malloc_trim(0)
