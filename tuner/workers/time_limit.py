"""How long a whole command may take, from its start to its last word."""

from __future__ import annotations

import time


class TimeLimit:
    """The bound is `seconds` plus 5 % or 5 s, whichever is more, counted from `began`.

    Work ends at `deadline`, at the next epoch; what has not ended `patience` seconds later is
    killed, and its trials are handed back, until `report_at`; the last word comes by `end`,
    whatever hangs.

    Attributes:
        began: seconds since 1970, as all its times.
        seconds: None until they are known, and if there is no limit.
    """

    def __init__(self, began: float | None = None) -> None:
        self.began = time.time() if began is None else began
        self.seconds: float | None = None

    @property
    def deadline(self) -> float | None:
        return None if self.seconds is None else self.began + self.seconds

    @property
    def patience(self) -> float:
        return 0.0 if self.seconds is None else self._added - min(0.6 * self._added, 15.0)

    @property
    def report_at(self) -> float | None:
        return self._before_the_bound(share=0.35, most=8.0)

    @property
    def end(self) -> float | None:
        return self._before_the_bound(share=0.15, most=2.0)

    def _before_the_bound(self, share: float, most: float) -> float | None:
        """`share` of what is added to `seconds` before the bound, at `most` so many seconds."""
        if self.seconds is None:
            return None
        return self.began + self.seconds + self._added - min(share * self._added, most)

    @property
    def _added(self) -> float:
        return max(5.0, 0.05 * (self.seconds or 0.0))
