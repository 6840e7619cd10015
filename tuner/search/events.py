"""What a worker tells whoever watches it. Small, frozen, picklable: they cross processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tuner.storage.records import State

#: A local worker's number, or a name of a worker on another machine.
WorkerId = int | str
DoneReason = Literal["done", "stopped", "deadline"]


@dataclass(frozen=True)
class Event:
    """Attributes: `worker`: whose it is."""

    worker: WorkerId


@dataclass(frozen=True)
class WorkerReady(Event):
    """The worker has its data and its trainer and is about to ask for its first trial."""


@dataclass(frozen=True)
class TrialStarted(Event):
    """A ticket was popped and its parameters are fixed; `epochs` is the most it will train.
    `alone`: no other worker of the study trains on this machine meanwhile."""

    number: int
    ticket: int
    params: Mapping[str, Any]
    epochs: int
    alone: bool = False


@dataclass(frozen=True)
class EpochDone(Event):
    """`epoch` (1-based) of `epochs` is trained; `value` is the mean fold score of the objective
    after it, `logs` Keras's, means over the folds."""

    number: int
    epoch: int
    epochs: int
    value: float
    logs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialDone(Event):
    """A trial reached its final state.

    `value` is the mean fold score of a complete trial, the last reported mean of a pruned one and
    None for a failed one; `cause` says why it was pruned or failed, which may be that it diverged.
    `values`: of a complete trial, one an objective. `feasible`: it keeps the study's constraints.
    """

    number: int
    ticket: int
    state: State
    value: float | None
    seconds: float
    cause: str | None = None
    values: tuple[float, ...] = ()
    feasible: bool = True


@dataclass(frozen=True)
class TrialReturned(Event):
    """A trial was handed back (shutdown) or a takeover made its result worthless: its ticket
    waits in the storage again, or another worker has it."""

    number: int
    ticket: int
    cause: str


@dataclass(frozen=True)
class WorkerIdle(Event):
    """No ticket waits, but other workers' trials run and could come back."""


@dataclass(frozen=True)
class WorkerDone(Event):
    """The worker's loop ended: all tickets are settled, it was told to stop, or time is up."""

    reason: DoneReason


@dataclass(frozen=True)
class WorkerWarning(Event):
    """Something a person should read that ends nothing: a storage error that is retried, a trial
    that was taken over."""

    text: str
