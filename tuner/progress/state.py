"""What the displays show, worked out from events: no terminal, no storage, no clock of its own."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tuner.results import BestTrial, better, front_text, on_front
from tuner.search.events import (
    EpochDone,
    Event,
    TrialDone,
    TrialReturned,
    TrialStarted,
    WorkerDone,
    WorkerId,
    WorkerIdle,
    WorkerReady,
)
from tuner.storage.records import DIVERGED, diverged
from tuner.text import measure_text

#: Finished trials that the estimate of the remaining time looks back at.
WINDOW = 30


def end_of(event: TrialDone) -> tuple[str, str]:
    """How a trial ended, in a word (its state, or `diverged`), and why; empty if not known."""
    cause = event.cause or ""
    if diverged(cause):
        return "diverged", cause.removeprefix(DIVERGED)
    return event.state, cause


@dataclass
class WorkerLine:
    """What one worker is doing: `trial` is None while it has none, and `note` says why."""

    note: str = "starting"
    trial: int | None = None
    epoch: int = 0
    epochs: int = 0
    value: float | None = None


@dataclass
class SearchState:
    """A search as it stands.

    Attributes:
        name: of the study.
        metric, direction: of the objective.
        others: the objectives beside it, name to direction.
        total: tickets in all; `done` of them were settled before this search began.
        best: of the trials before this search, or None.
        front: of several objectives the Pareto front, number to the values of all.
        deadline: seconds since 1970, or None.
        complete, pruned, failed: trials finished in this search, by the state that is stored.
        ends: the same trials by how they ended, see `end_of`.
        workers: by the worker's number.
    """

    name: str
    metric: str
    direction: Literal["maximize", "minimize"]
    total: int
    done: int = 0
    best: BestTrial | None = None
    deadline: float | None = None
    started: float = 0.0
    complete: int = 0
    pruned: int = 0
    failed: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    workers: dict[WorkerId, WorkerLine] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    front: dict[int, tuple[float, ...]] = field(default_factory=dict)
    _settled: set[int] = field(default_factory=set)
    _params: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    _finished_at: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))

    @property
    def settled(self) -> int:
        """Tickets with a result: those from before, and those of this search."""
        return min(self.total, self.done + len(self._settled))

    def better(self, value: float) -> bool:
        """Whether `value` beats the best so far."""
        if self.best is None or not math.isfinite(value):
            return math.isfinite(value)
        return better(value, self.best.value, maximize=self.direction == "maximize")

    def apply(self, event: Event, now: float) -> bool:
        """Take `event`, which arrived at `now` (seconds since 1970), into account; whether it
        brought a new best trial."""
        line = self.workers.setdefault(event.worker, WorkerLine())
        match event:
            case WorkerReady():
                line.note = "ready"
            case TrialStarted():
                if not self._finished_at:
                    self._finished_at.append(now)
                self._settled.discard(event.ticket)  # a retry of a failed one
                self._params[event.number] = event.params
                self.workers[event.worker] = WorkerLine("", event.number, 0, event.epochs)
            case EpochDone():
                # Of candidates that train together, the one heard of last.
                line.trial, line.value = event.number, event.value
                line.epoch, line.epochs = event.epoch, event.epochs
            case TrialDone():
                return self._finish(event, now)
            case TrialReturned():
                self._params.pop(event.number, None)
                self.workers[event.worker] = WorkerLine("handed its trial back")
            case WorkerIdle():
                self.workers[event.worker] = WorkerLine("waits for trials of other workers")
            case WorkerDone():
                self.workers[event.worker] = WorkerLine("ended")
        return False

    def remaining(self, now: float) -> float | None:
        """Seconds that are left at the pace of the last `WINDOW` trials, and at most until the
        deadline; None while nothing is known."""
        until = None if self.deadline is None else max(0.0, self.deadline - now)
        finished = len(self._finished_at) - 1
        if finished < 1:
            return until
        pace = (now - self._finished_at[0]) / finished
        left = pace * (self.total - self.settled)
        return left if until is None else min(left, until)

    def _finish(self, event: TrialDone, now: float) -> bool:
        self.workers[event.worker] = WorkerLine("ready")
        self._settled.add(event.ticket)
        self._finished_at.append(now)
        params = self._params.pop(event.number, {})
        self.ends[end_of(event)[0]] += 1
        if event.state == "failed":
            self.failed += 1
        elif event.state == "pruned":
            self.pruned += 1
        else:
            self.complete += 1
            if event.value is None or not event.feasible:
                return False
            best = self.better(event.value)
            if best:
                self.best = BestTrial(event.number, params, event.value)
            return self._joins(event.number, event.values) if self.others else best
        return False

    def _joins(self, number: int, values: tuple[float, ...]) -> bool:
        """Whether a trial with these values is of the front; those that it beats leave it."""
        self.front[number] = values
        ways = [way == "maximize" for way in (self.direction, *self.others.values())]
        members = on_front(list(self.front.values()), maximize=ways)
        kept = zip(self.front.items(), members, strict=True)
        self.front = {trial: own for (trial, own), member in kept if member}
        return number in self.front

    def measures(self, values: Sequence[float]) -> str:
        """The values of all objectives, by their names."""
        named = zip((self.metric, *self.others), values, strict=True)
        return ", ".join(f"{name} {measure_text(value)}" for name, value in named)

    def front_text(self) -> str:
        """How many trials the front has, and from where to where they reach."""
        return front_text((self.metric, *self.others), list(self.front.values()))
