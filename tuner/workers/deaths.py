"""How often workers may die before they are not started again."""

from __future__ import annotations

from collections import Counter

from tuner.search.events import Event, TrialDone, TrialReturned, TrialStarted

#: A worker that dies this often in a row before it has a trial is not started again: it will not
#: come up the next time either (no memory for its libraries, data that alone exceed its limit).
START_TRIES = 3
#: The same for one that dies later, without a finished trial in between.
WORK_TRIES = 10


class Deaths:
    """Deaths in a row, by the worker's number.

    A death in a trial that broke a limit is none of these: each ticket has two of them at most.
    """

    def __init__(self) -> None:
        self._starting: Counter[int] = Counter()
        self._working: Counter[int] = Counter()

    def hear(self, number: int, event: Event) -> None:
        """Take an event of worker `number` into account."""
        if isinstance(event, TrialStarted):
            self._starting[number] = 0
        elif isinstance(event, TrialDone | TrialReturned):
            self._working[number] = 0

    def too_many(self, number: int, *, working: bool) -> int:
        """Count a death; how many in a row there were if the worker is not to be started again,
        else 0.

        Args:
            working: it died after it was ready, of an unknown cause.
        """
        counts, most = (self._working, WORK_TRIES) if working else (self._starting, START_TRIES)
        counts[number] += 1
        return counts[number] if counts[number] >= most else 0
