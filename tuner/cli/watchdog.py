"""Ends the program when its time is up, whatever hangs."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from tuner.errors import TunerError

if TYPE_CHECKING:
    from tuner.workers import TimeLimit

#: Seconds between looks at the clock.
TICK = 0.1
#: Seconds for the last words, which may hang like everything else (a pipe nobody reads).
LAST_WORDS = 1.0


class Watchdog:
    """Within its `with` block the program ends at `limit.end` at the latest.

    A storage that does not answer, data that do not arrive, a terminal that stands still: each
    may hold the main thread for longer than anybody allowed. A thread of its own then says the
    `last_words`, whose result is the exit code, kills the workers, and leaves.
    """

    def __init__(self, limit: TimeLimit, last_words: Callable[[], int]) -> None:
        self._limit = limit
        self._last_words = last_words
        self._over = threading.Event()

    def __enter__(self) -> Watchdog:
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(TICK):
            end = self._limit.end
            if end is not None and time.time() >= end:
                self._leave()

    def _leave(self) -> None:
        code = [1]

        def speak() -> None:
            with suppress(TunerError):  # of a stdout that nobody can write to
                code[0] = self._last_words()
                sys.stdout.flush()
            sys.stderr.flush()

        speaker = threading.Thread(target=speak, name="last-words", daemon=True)
        speaker.start()
        for worker in multiprocessing.active_children():
            worker.kill()
        speaker.join(LAST_WORDS)
        os._exit(code[0])
