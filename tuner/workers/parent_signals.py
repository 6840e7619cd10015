"""SIGINT, SIGTERM and SIGHUP of the parent process, counted instead of fatal."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

WATCHED = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

#: Seconds in which a signal is taken for a repetition of the one before.
ECHO = 0.25


class Interrupted(BaseException):
    """A signal arrived while nothing was at stake. Not an `Exception`, as `KeyboardInterrupt` is
    not: no retry may swallow it.

    Attributes:
        signal: its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


class SignalWatch:
    """Within its `with` block the process survives the watched signals.

    Until `hold()` a signal raises `Interrupted` wherever the main thread is; afterwards it is
    counted in `count`, and `fileno()` becomes readable, so that a waiting loop wakes up. Outside
    the main thread nothing is watched. SIGHUP stays ignored if it is (`nohup`). Signals within
    `ECHO` seconds of the last counted one are its echo: a Ctrl-C reaches us from the terminal and,
    forwarded, from a wrapper that runs us; service managers send SIGHUP right behind SIGTERM.

    Attributes:
        count: signals since `hold()`.
        first: the first of them, or None.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: signal.Signals | None = None
        self._held = False
        self._last = -math.inf
        self._previous: dict[int, Any] = {}
        self._reader = self._writer = -1

    def __enter__(self) -> SignalWatch:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        os.set_blocking(self._reader, False)
        if threading.current_thread() is threading.main_thread():
            for number in WATCHED:
                before = signal.getsignal(number)
                if number == getattr(signal, "SIGHUP", None) and before is signal.SIG_IGN:
                    continue
                self._previous[number] = before
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._previous.items():
            signal.signal(number, before)
        os.close(self._reader)
        os.close(self._writer)

    def hold(self) -> None:
        """From now on count signals instead of raising."""
        self._held = True

    def fileno(self) -> int:
        return self._reader

    def clear(self) -> None:
        """Read what made `fileno()` readable."""
        with suppress(BlockingIOError):  # nothing had arrived
            os.read(self._reader, 4096)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._held:
            raise Interrupted(number)
        now = time.monotonic()
        if now - self._last < ECHO:
            return
        self._last = now
        self.count += 1
        self.first = self.first or signal.Signals(number)
        with suppress(BlockingIOError):  # full: then the reader wakes up anyway
            os.write(self._writer, b"!")


@contextmanager
def blocked_interrupts() -> Iterator[None]:
    """Hold SIGINT back in this thread, and for good in processes started within: a Ctrl-C on a
    terminal reaches every process of the group, also one that has not yet come to ignoring it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
