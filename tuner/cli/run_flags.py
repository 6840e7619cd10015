"""How a search is run, whatever the study: the flags of `tuner optimize`, `resume` and `worker`."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from tuner.cli.flags import (
    ARTIFACTS,
    BEAT,
    SILENCE,
    SIZE,
    STUDY_STORAGE,
    TIME,
    WORKERS,
    Number,
    flag,
)
from tuner.cli.opening import storage_at
from tuner.cli.refusals import OneOf
from tuner.errors import UsageError
from tuner.progress import ProgressMode
from tuner.text import path_text

if TYPE_CHECKING:
    from tuner.workers import TrialLimits, WorkerLimits
    from tuner.workers.ray import RayAsked, RayEngine


#: Of the commands that go on with somebody's study.
trust_option = click.option(
    "--trust-code",
    is_flag=True,
    help="Run the code of its own that the study came with: a metric, a sampler, a network of "
    "Python. It may do whatever you may.",
)


@dataclass(frozen=True)
class RunFlags:
    """Times are in seconds, sizes in bytes; None: not given.

    Attributes:
        began: when the command began, in seconds since 1970.
    """

    timeout: float | None = flag(
        "TIME",
        "End after this time, such as 90s, 10m or 1h30m; a number alone is seconds. The "
        "command ends within 5 % more, or 5 s.",
        type=TIME,
    )
    heartbeat: float | None = flag(
        "S",
        "Seconds between the signs of life that a trial leaves in the storage.  [default: 10]",
        type=BEAT,
    )
    grace: float | None = flag(
        "S",
        "Seconds without one after which another worker takes a trial over.  [default: 60]",
        type=SILENCE,
    )
    memory: int | None = flag(
        "SIZE",
        "End a trial whose worker process holds more, such as 4g; it is tried once more, "
        "alone.  [default: its share of 80 % of the machine's]",
        type=SIZE,
    )
    trial_timeout: float | None = flag(
        "TIME",
        "End a trial that takes longer, such as 30m; it is tried once more, alone.",
        type=TIME,
    )
    progress: ProgressMode = flag(  # noqa: RUF009 (a field)
        None,
        "How progress is shown on stderr: live on a terminal, else line by line.",
        type=OneOf(get_args(ProgressMode)),
        default="auto",
        show_default=True,
    )
    artifacts: str | None = flag("DIR", ARTIFACTS)
    storage: str | None = flag("URL", STUDY_STORAGE)
    began: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        named = "--artifacts" if self.artifacts is not None else "TUNER_ARTIFACTS"
        if folder := self.artifacts or os.environ.get("TUNER_ARTIFACTS"):
            from tuner.files import unmakable

            if reason := unmakable(Path(folder)):
                raise UsageError(
                    f"{named} is a folder that can be written; {path_text(folder)} {reason}"
                )

    def limits(self, workers: int | None) -> tuple[WorkerLimits, TrialLimits]:
        """See `tuner.workers.caps`; `workers` None: they run elsewhere."""
        from tuner.workers.caps import caps

        return caps(workers, self.memory, self.trial_timeout)


@dataclass(frozen=True)
class WorkerFlags:
    """How many workers there are, and where: processes of this machine, or on a Ray cluster.

    Raises `UsageError` if the flags do not go together.
    """

    workers: int | None = flag(
        "N", "Worker processes, one thread each.  [default: the cores]", type=WORKERS
    )
    ray: str | None = flag(
        "[ADDRESS]",
        "Put the workers on a Ray cluster: auto, HOST:PORT or ray://HOST:PORT. Without an "
        "address, a Ray of its own on this machine.",
        is_flag=False,
        flag_value="local",
    )
    ray_cpus: float | None = flag(
        "N",
        "CPUs of one worker on Ray, which are its threads.  [default: 1]",
        type=Number(0.0001, 10_000),
    )
    ray_gpus: float | None = flag(
        "N", "GPUs of one worker on Ray, such as 0.25.  [default: 0]", type=Number(0, 10_000)
    )

    def __post_init__(self) -> None:
        if (self.ray, self.ray_cpus, self.ray_gpus) != (None, None, None):
            self._asked()

    def _asked(self) -> RayAsked:
        from tuner.workers.ray import RayAsked

        return RayAsked(self.ray, self.ray_cpus, self.ray_gpus)

    def typed(self) -> str:
        """The flags of Ray as they are typed, with a space in front of each."""
        if self.ray is None:
            return ""
        shares = [f" {name} {value:g}" for name, value in self._asked().shares().items()]
        return f" --ray {self.ray}{''.join(shares)}"

    def engine(self, storage: str | None, workers: int | None) -> RayEngine | None:
        """Where so many workers run, or as many as fit; None: as processes of this machine."""
        if self.ray is None:
            return None
        return self._asked().engine(storage_at(storage).url, workers)
