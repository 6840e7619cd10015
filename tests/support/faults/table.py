"""One line of docs/reliability.md for each scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.faults.study import Ledger

HEAD = """\
| fault | storage | amount | lost | twice | results | slowest, s | bound, s | took, s |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Row:
    """What came of one scenario.

    Attributes:
        ledgers: of its studies.
        slowest, bound: seconds from the fault until the study had got over it; None where the
            scenario measures no time.
        holds: whether all that is promised was seen.
        note: what else was counted.
    """

    fault: str
    storage: str
    amount: str
    ledgers: Sequence[Ledger]
    seconds: float
    holds: bool
    slowest: float | None = None
    bound: float | None = None
    note: str = ""

    def line(self) -> str:
        lost = sum(ledger.lost + ledger.forgotten for ledger in self.ledgers)
        twice = sum(ledger.twice for ledger in self.ledgers)
        results = sum(ledger.results for ledger in self.ledgers)
        tickets = sum(ledger.tickets for ledger in self.ledgers)
        counted = (lost, twice, f"{results:,} for {tickets:,}") if self.ledgers else ("", "", "")
        cells = [
            self.fault,
            self.storage,
            f"{self.amount}; {self.note}" if self.note else self.amount,
            *map(str, counted),
            _seconds(self.slowest),
            _seconds(self.bound),
            f"{self.seconds:.0f}",
        ]
        return f"| {' | '.join(cells)} |" + ("" if self.holds else " **does not hold**")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
