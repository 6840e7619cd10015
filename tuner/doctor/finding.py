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
