"""How often workers may die before they are not started again."""

from __future__ import annotations

#: A worker that dies this often in a row before it works is not started again: it will not come
#: up the next time either (no memory for its libraries, data that alone exceed its cap).
START_TRIES = 3
#: The same for one that dies later, without a finished trial in between.
WORK_TRIES = 10


class Deaths:
    """Deaths in a row, by the worker's number.

    A death in a trial that broke a limit is none of these: each ticket has two of them at most.
    """

    def __init__(self) -> None:
        self._starting: dict[int, int] = {}
        self._working: dict[int, int] = {}

    def began(self, number: int) -> None:
        """It has a trial."""
        self._starting.pop(number, None)

    def finished(self, number: int) -> None:
        """It has finished a trial."""
        self._working.pop(number, None)

    def too_many(self, number: int, *, working: bool) -> int:
        """Count a death; how many in a row there were where the worker is not to be started
        again, else 0.

        Args:
            working: it died after its loop had begun, of an unknown cause.
        """
        counts, most = (self._working, WORK_TRIES) if working else (self._starting, START_TRIES)
        counts[number] = counts.get(number, 0) + 1
        return counts[number] if counts[number] >= most else 0
