"""Errors of a storage that pass: a server that restarts, a deadlock, a file that is locked."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tuner.errors import StorageError
from tuner.storage.proxy import proxy_error

Result = TypeVar("Result")

#: What SQLite says when another process holds the lock for longer than the busy timeout.
_SQLITE_PASSING = ("locked", "busy")

#: Seconds between two tries, at most: less than two heartbeats of any sensible interval, so that
#: after an outage nobody takes over the trial of a worker that is about to try again.
PAUSE = 2.0

#: Seconds of patience once told to stop: enough for a deadlock, not for a server that is gone.
STOPPING = 3.0


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later. Looks through the errors that Optuna wraps
    around the database's."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, PoolTimeoutError | ConnectionError):
            return True
        if (told := proxy_error(seen)) is not None:
            return told[1]
        if isinstance(seen, DBAPIError):
            if isinstance(seen.orig, sqlite3.Error):
                return any(word in str(seen.orig) for word in _SQLITE_PASSING)
            return seen.connection_invalidated or isinstance(
                seen, OperationalError | InterfaceError
            )
        seen = seen.__cause__ or seen.__context__
    return False


class Retry:
    """Calls again, with growing pauses, what fails for a passing reason.

    The pauses are 0.1, 0.2, 0.4, ... seconds, at most `PAUSE`, each times a random number between
    a half and one (so that workers that failed together do not come back together).

    Args:
        patience: seconds after which the error is raised, as `StorageError`.
        warn: told when waiting begins.
        stop: once it is true, no more than `STOPPING` seconds are waited.
    """

    def __init__(
        self,
        *,
        patience: float,
        warn: Callable[[str], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._patience = patience
        self._warn = warn
        self._stop = stop
        #: How often the storage was found not to answer so far, by whatever thread.
        self.outages = 0

    def __call__(self, step: Callable[[], Result]) -> Result:
        began, pause = time.monotonic(), 0.1
        while True:
            try:
                return step()
            except Exception as error:
                if not is_transient(error):
                    raise
                if pause == 0.1:
                    self.outages += 1
                    self._warn(f"the storage does not answer, trying again: {_reason(error)}")
                waited = time.monotonic() - began
                if waited > (STOPPING if self._stop() else self._patience):
                    raise StorageError(
                        f"the storage did not answer for {waited:.0f} s: {_reason(error)}"
                    ) from error
            until = time.monotonic() + pause * random.uniform(0.5, 1.0)
            while time.monotonic() < until:
                time.sleep(min(0.1, max(0.0, until - time.monotonic())))
                if self._stop():
                    break
            pause = min(2 * pause, PAUSE)


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    if (told := proxy_error(error)) is not None:
        return told[0]
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
