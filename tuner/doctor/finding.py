"""What a check says, and what a repair did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One check's answer.

    Attributes:
        check: its name, the same in every version.
        state: `warning` where work goes on all the same, `error` where it does not, or where
            results are in danger.
        text: one sentence: the rule, what was found, and what to do where that breaks the rule.
        study: which study it is about; None: the storage or the machine.
    """

    check: str
    state: State
    text: str
    study: str | None = None


@dataclass(frozen=True)
class Repair:
    """One thing that was mended: `text` says what was done."""

    check: str
    text: str
    study: str | None = None


def size(count: float) -> str:
    """Bytes as text: `1 byte`, `312 bytes`, `4.0 KB`, `1.5 GB`."""
    for unit, power in (("GB", 30), ("MB", 20), ("KB", 10)):
        if count >= 2**power:
            return f"{count / 2**power:.1f} {unit}"
    return "1 byte" if count == 1 else f"{count:.0f} bytes"


def seconds(value: float) -> str:
    """`under 1 ms`, `3 ms`, `1.2 s`, `4 min`, `5.1 h`."""
    if value < 0.001:
        return "under 1 ms"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def listed(items: list[str], most: int = 5) -> str:
    """The first `most` of them, and how many more there are."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")
