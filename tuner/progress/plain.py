"""Progress as lines: for logs, pipes and CI; and the display that shows warnings alone."""

from __future__ import annotations

import time
from collections.abc import Callable

from tuner.progress.state import SearchState, end_of
from tuner.search.events import Event, TrialDone, WorkerWarning
from tuner.text import clock_text, counted, params_text, score_text

#: Seconds between lines about finished trials; a new best trial does not wait.
EVERY = 1.0
#: Seconds without a line after which a running search says that it is alive.
SILENCE = 30.0


class SilentProgress:
    """Shows what must be read (warnings, workers' output, notices) and nothing else.

    Args:
        write: prints one line to where progress goes.
        now: seconds since 1970.
    """

    def __init__(
        self, state: SearchState, write: Callable[[str], None], now: Callable[[], float] = time.time
    ) -> None:
        self.state = state
        self._write = write
        self._now = now

    def event(self, event: Event) -> None:
        best = self.state.apply(event, self._now())
        if isinstance(event, WorkerWarning):
            self.line(f"warning: {event.text}")
        elif isinstance(event, TrialDone):
            self.finished(event, best)

    def finished(self, event: TrialDone, best: bool) -> None:
        """A trial ended; `best`: with the best value so far."""

    def line(self, text: str) -> None:
        self._write(text)

    def tick(self) -> None:
        pass

    def close(self) -> None:
        pass


class PlainProgress(SilentProgress):
    """A line for each finished trial; of trials that finish faster than `EVERY`, the last one
    with the number of those left out."""

    def __init__(
        self, state: SearchState, write: Callable[[str], None], now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(state, write, now)
        self._written = now()
        self._waiting: TrialDone | None = None
        self._skipped = 0

    def finished(self, event: TrialDone, best: bool) -> None:
        if self._waiting is not None:
            self._skipped += 1
        self._waiting = event
        if best or self._now() - self._written >= EVERY:
            self._flush(best)

    def tick(self) -> None:
        now = self._now()
        if self._waiting is not None and now - self._written >= EVERY:
            self._flush(False)
        elif now - self._written >= SILENCE:
            self._alive()

    def close(self) -> None:
        if self._waiting is not None:
            self._flush(False)

    def _flush(self, best: bool) -> None:
        event, state = self._waiting, self.state
        assert event is not None
        how, why = end_of(event)
        parts = [f"[{state.settled}/{state.total}] trial {event.number} {how}"]
        if state.others and event.values:
            parts.append(state.measures(event.values))
        elif event.value is not None and how != "diverged":
            parts.append(f"{state.metric} {score_text(event.value)}")
        parts.append(f"{event.seconds:.1f} s")
        if how != "pruned" and why:
            parts.append(why)
        if state.others:
            parts += ["on the front"] if best else []
            parts += [f"front {counted(len(state.front), 'trial')}"] if state.front else []
        elif best and state.best is not None:
            parts.append(f"best so far: {params_text(state.best.params)}")
        elif state.best is not None:
            parts.append(f"best {score_text(state.best.value)} (trial {state.best.number})")
        if (left := state.remaining(self._now())) is not None and state.settled < state.total:
            parts.append(f"{clock_text(left)} left")
        if self._skipped:
            parts.append(f"{self._skipped} more since the last line")
        self._say(" · ".join(parts))
        self._waiting, self._skipped = None, 0

    def _alive(self) -> None:
        busy = [
            f"trial {line.trial} epoch {line.epoch}/{line.epochs}"
            + (f" {self.state.metric} {score_text(line.value)}" if line.value is not None else "")
            for line in self.state.workers.values()
            if line.trial is not None
        ]
        self._say(f"[{self.state.settled}/{self.state.total}] {', '.join(busy) or 'waiting'}")

    def _say(self, text: str) -> None:
        self._written = self._now()
        self._write(text)
