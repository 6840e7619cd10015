"""What the pool and its workers tell each other besides the events of `tuner.search.events`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuner.errors import TunerError


@dataclass(frozen=True)
class Task:
    """Parent to worker, once: the study to work on.

    `deadline` is in seconds since 1970; `heartbeat` and `grace` in seconds, None for the loop's
    own defaults; `artifacts` is the folder of its checkpoints, None for the default one.
    """

    storage_url: str
    study_name: str
    deadline: float | None = None
    heartbeat: float | None = None
    grace: float | None = None
    artifacts: str | None = None


@dataclass(frozen=True)
class Ended:
    """Worker to parent, last.

    Attributes:
        reason: `done`, `stopped` or `deadline`: as the loop says. `recycled`: a limit of
            `tuner.workers.recycling.WorkerLimits` was reached. `failed`: by an error that any
            other worker would meet too. `crashed`: by an exception that nobody expected, whose
            traceback is in the worker's log.
        error: of `failed`.
        text: of `crashed`, as `Type: message`.
    """

    reason: Literal["done", "stopped", "deadline", "recycled", "failed", "crashed"]
    error: TunerError | None = None
    text: str = ""

    @property
    def in_order(self) -> bool:
        """Whether the loop returned, so that no trial is left behind."""
        return self.reason not in ("failed", "crashed")
