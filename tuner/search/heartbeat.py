"""Heartbeats: written while trials run, and watched to find trials that nobody works on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from optuna.trial import FrozenTrial

from tuner.storage import records
from tuner.storage.backend import Beat
from tuner.storage.owner import describe_owner, is_gone


class Heartbeat:
    """Beats for the claimed trials from a thread, whenever nothing else was written for
    `interval` seconds: an epoch may take longer than any grace.

    A heartbeat is the time: in databases the row of the trial in Optuna's table of heartbeats, by
    the server's clock; elsewhere the attribute `records.HEARTBEAT`, by this machine's (see
    `tuner.storage.backend.Backend.beat`).

    Args:
        beat: writes the heartbeats. What it raises is left for the next beat: the training's own
            writes find out whether the storage or a trial is lost.
        interval: seconds.
    """

    def __init__(self, beat: Callable[[], None], interval: float) -> None:
        self._beat = beat
        self._interval = interval
        self._beating = False
        self._last = 0.0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Beat from now on; the first beat was written when the trials were claimed."""
        with self._changed:
            self._beating, self._last = True, time.monotonic()
            self._changed.notify()

    def beaten(self) -> None:
        """Something that counts as a heartbeat was just written."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """Beat no more; returns when no beat is under way."""
        with self._changed:
            self._beating = False

    def close(self) -> None:
        with self._changed:
            self._closed, self._beating = True, False
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                if not self._beating:
                    self._changed.wait()
                    continue
                due = self._last + self._interval - time.monotonic()
                if due > 0:
                    self._changed.wait(due)
                    continue
                self._last = time.monotonic()
                # Under the lock, so that `stop` waits for a beat under way.
                with suppress(Exception):
                    self._beat()


class BeatWatch:
    """Tells which running trials nobody works on any more.

    A trial is stale when its worker's process was on this machine and has ended; or when its
    heartbeat is older than `grace` by the storage's clock and has not changed for two heartbeat
    intervals while this process was watching (so that after an outage of the storage, everybody
    has the time to beat again); or, if the storage has no clock or the trial no heartbeat, has
    not changed while watching for `grace`, at least two intervals. No two machines' clocks are
    compared.

    Args:
        grace, interval: seconds.
        outages: how often this process has found the storage out of reach. If that has
            changed, the watch begins anew: nobody could beat meanwhile.
    """

    def __init__(
        self, grace: float, interval: float, outages: Callable[[], int] = lambda: 0
    ) -> None:
        self.interval = interval
        self._grace = grace
        self._outages = outages
        self._known_outages = outages()
        self._first_seen: dict[int, tuple[object, float]] = {}

    def stale(self, running: Sequence[FrozenTrial], beats: dict[int, Beat]) -> dict[int, str]:
        """Trial id to cause, for those of the `running` trials that are stale; `beats` were just
        read."""
        if self._outages() != self._known_outages:
            self._known_outages = self._outages()
            self._first_seen.clear()
        now = time.monotonic()
        causes: dict[int, str] = {}
        seen: dict[int, tuple[object, float]] = {}
        for trial in running:
            owner = trial.system_attrs.get(records.WORKER)
            beat = beats.get(trial._trial_id, Beat(None, None))
            mark = (beat.mark, owner)
            first_mark, since = self._first_seen.get(trial._trial_id, (mark, now))
            if first_mark != mark:
                since = now
            seen[trial._trial_id] = (mark, since)
            cause = self._cause(owner, beat, now - since)
            if cause:
                causes[trial._trial_id] = cause
        self._first_seen = seen
        return causes

    def _cause(self, owner: str | None, beat: Beat, watched: float) -> str | None:
        if owner is not None and is_gone(owner):
            return f"its worker (process {owner.split(':')[1]}) ended without finishing it"
        if beat.age is not None:
            if beat.age > self._grace and watched >= 2 * self.interval:
                return (
                    f"no heartbeat for {beat.age:.0f} s from its worker ({describe_owner(owner)})"
                )
        elif watched > max(self._grace, 2 * self.interval):
            return f"no heartbeat while watched for {watched:.0f} s ({describe_owner(owner)})"
        return None
