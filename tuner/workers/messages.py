"""What the pool and its workers say to each other besides the events of `tuner.search.events`."""

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
class Limits:
    """When a worker gives way to a fresh one, looked at after each trial.

    Attributes:
        trials: finished trials after which a worker is replaced; None: never.
        memory: resident bytes above which it is replaced, once it has finished `settle` trials
            (so that data which alone exceed the limit do not cost a start for each trial).
        growth: bytes by which its memory may grow after its first `settle` trials; None: as it
            likes. TensorFlow keeps some 4 MB of every graph that was ever traced.
        settle: see `memory`.
    """

    trials: int | None = None
    memory: int | None = None
    growth: int | None = None
    settle: int = 5


#: What a worker's end says of the trials it held. `nobody`: nothing, they wait as before.
#: `unknown`: they may be the cause, and have had an attempt. `trial`: they broke a limit.
Fault = Literal["nobody", "unknown", "trial"]


@dataclass(frozen=True)
class Loss:
    """The end of a worker that may have held trials.

    Attributes:
        process: the worker's, as `tuner.storage.owner.process_name` names it.
        cause: for people; stored with the trials.
        trials: numbers of those that are at `fault`; None: whichever it held. For others of the
            worker's trials it is nobody's.
    """

    process: str
    cause: str
    fault: Fault
    trials: frozenset[int] | None = None


@dataclass(frozen=True)
class Entered:
    """Worker to parent: imports are done and the loop begins; from here on it may hold a trial."""


@dataclass(frozen=True)
class Ended:
    """Worker to parent, last: the loop returned. `recycled`: a limit of `Limits` was reached."""

    reason: Literal["done", "stopped", "deadline", "recycled"]


@dataclass(frozen=True)
class Failed:
    """Worker to parent, last: an error that any other worker would meet too."""

    error: TunerError


@dataclass(frozen=True)
class Crashed:
    """Worker to parent, last: an exception nobody expected, as `Type: message`; the traceback is
    in the worker's log."""

    text: str


Message = Entered | Ended | Failed | Crashed
