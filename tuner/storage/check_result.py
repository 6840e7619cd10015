"""What a check says, what a repair did, and what a write took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One check's answer.

    Attributes:
        check: its name, the same in every version.
        state: `warning` if work goes on all the same, `error` if it does not, or if results are
            in danger.
        text: one sentence: the rule, what was found, and what to do if that breaks the rule.
        study: which study it is about; None: the storage or the machine.
        blocks: the storage cannot be opened, so that nothing further is checked.
    """

    check: str
    state: State
    text: str
    study: str | None = None
    blocks: bool = False


@dataclass(frozen=True)
class Repair:
    """One thing that was mended: `text` says what was done."""

    check: str
    text: str
    study: str | None = None


@dataclass(frozen=True)
class WriteStep:
    """`seconds` that a write took, until it was on disk; `ahead`: by how many seconds the file
    system's clock is ahead of this machine's, None if that was not seen."""

    seconds: float
    ahead: float | None = None
