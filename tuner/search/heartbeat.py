"""Heartbeats: beating while a trial runs, and judging whose heart has stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from optuna.trial import FrozenTrial

from tuner.storage import records
from tuner.storage.backend import Beat
from tuner.storage.owner import describe_owner, is_gone


class Heartbeat:
    """Beats for the current trial from a thread, whenever nothing else was written for
    `interval` seconds: an epoch may take longer than any grace.

    Args:
        beat: writes a heartbeat for a trial id. What it raises is left for the next beat: the
            training's own writes find out whether the storage or the trial is lost.
        interval: seconds.
    """

    def __init__(self, beat: Callable[[int], None], interval: float) -> None:
        self._beat = beat
        self._interval = interval
        self._trial_id: int | None = None
        self._last = 0.0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def start(self, trial_id: int) -> None:
        """Beat for this trial from now on; its first beat was written with its start."""
        with self._changed:
            self._trial_id, self._last = trial_id, time.monotonic()
            self._changed.notify()

    def beaten(self) -> None:
        """Something that counts as a heartbeat was just written."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """Beat no more for the current trial; returns when no beat is under way."""
        with self._changed:
            self._trial_id = None

    def close(self) -> None:
        with self._changed:
            self._closed, self._trial_id = True, None
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                if self._trial_id is None:
                    self._changed.wait()
                    continue
                due = self._last + self._interval - time.monotonic()
                if due > 0:
                    self._changed.wait(due)
                    continue
                self._last = time.monotonic()
                # Under the lock, so that `stop` waits for a beat under way.
                try:
                    self._beat(self._trial_id)
                except Exception:
                    continue


class BeatWatch:
    """Tells which running trials nobody works on any more.

    A trial is stale when its worker's process was on this machine and has ended; or when its
    heartbeat is older than `grace` by the storage's clock and has not changed for two heartbeat
    intervals while this process was watching (so that after an outage of the storage, everybody
    has the time to beat again); or, where the storage has no clock or the trial no heartbeat, has
    not changed while watching for `grace`, at least two intervals. No two machines' clocks are
    compared.

    Args:
        grace, interval: seconds.
        outages: how often this process has found the storage out of reach. Where that has
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
