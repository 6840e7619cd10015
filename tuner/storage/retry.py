"""Passing errors of a storage are waited out: a server that restarts, a deadlock, a locked file."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NoReturn, TypeVar, cast

import tenacity

from tuner.errors import StorageError
from tuner.storage.failures import first_line, is_transient, lies_in_storage
from tuner.storage.kind import StorageKind

Result = TypeVar("Result")

#: Seconds between two tries, at most: less than two heartbeats of any sensible interval, so that
#: after an outage nobody takes over the trial of a worker that is about to try again.
PAUSE = 2.0

#: Seconds of patience once told to stop: enough for a deadlock, not for a server that is gone.
STOPPING = 3.0

_growing = tenacity.wait_exponential(multiplier=0.1, max=PAUSE)


class Retry:
    """Calls again, with growing pauses, what fails for a passing reason.

    The pauses are 0.1, 0.2, 0.4, ... seconds, at most `PAUSE`, each times a random number between
    a half and one (so that workers that failed together do not come back together).

    Args:
        patience: seconds after which the error is raised, as `StorageError`.
        warn: told when waiting begins.
        stop: once it is true, no more than `STOPPING` seconds are waited.
        storage: names what does not pass; None: the steps' own errors are raised.
    """

    def __init__(
        self,
        *,
        patience: float,
        warn: Callable[[str], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
        storage: StorageKind | None = None,
    ) -> None:
        self._patience = patience
        self._warn = warn
        self._stop = stop
        self._storage = storage
        #: How often the storage was found not to answer so far, by whatever thread.
        self.outages = 0
        self._call = tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_transient),
            after=self._count,
            stop=self._is_over,
            wait=lambda state: _growing(state) * random.uniform(0.5, 1.0),
            sleep=self._sleep,
            retry_error_callback=_give_up,
        )

    def __call__(self, step: Callable[[], Result]) -> Result:
        """Raises as `once`, and `StorageError` if the patience ends."""
        return self.once(lambda: self._call(step))

    def once(self, step: Callable[[], Result]) -> Result:
        """The same, tried once.

        Raises `StorageError` for what every other step would meet too, and if the file is not at
        its place any more: what was written is lost then, though nobody said so.
        """
        failure: Exception | None = None
        try:
            result = step()
        except Exception as error:
            failure = error
        # Raised out here, so that a failure that would pass does not stand behind it.
        if self._storage is not None and (lost := self._storage.lost()):
            raise StorageError(lost)
        if failure is None:
            return result
        if self._storage is None or not lies_in_storage(failure):
            raise failure
        raise StorageError(self._storage.explain(failure) or str(failure)) from failure

    def _count(self, state: tenacity.RetryCallState) -> None:
        if state.attempt_number == 1:
            self.outages += 1
            self._warn(f"the storage does not answer, trying again: {first_line(_error(state))}")

    def _is_over(self, state: tenacity.RetryCallState) -> bool:
        return _waited(state) > (STOPPING if self._stop() else self._patience)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(0.1, left))
            if self._stop():
                return


def _waited(state: tenacity.RetryCallState) -> float:
    return state.seconds_since_start or 0.0


def _give_up(state: tenacity.RetryCallState) -> NoReturn:
    raise StorageError(
        f"the storage did not answer for {_waited(state):.0f} s: {first_line(_error(state))}"
    ) from _error(state)


def _error(state: tenacity.RetryCallState) -> BaseException:
    outcome = cast("tenacity.Future", state.outcome)  # of a try that has failed
    return cast("BaseException", outcome.exception())
