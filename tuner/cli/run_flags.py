"""How a search is run, whatever the study: the flags of `tuner optimize`, `resume` and `worker`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import click

from tuner.cli.flags import ARTIFACTS, COUNT, POSITIVE, SIZE, STUDY_STORAGE, TIME, flag
from tuner.errors import UsageError

if TYPE_CHECKING:
    from tuner.workers import TrialLimits, WorkerLimits
    from tuner.workers.ray import RayEngine

ProgressMode = Literal["auto", "rich", "plain", "none"]

#: The share of the machine's memory that workers may hold together.
SHARE = 0.8
#: Trials after which a worker is replaced, and bytes by which it may grow at most before that.
TRIALS, GROWTH = 1000, 512 << 20


@dataclass(frozen=True)
class RunFlags:
    """Times are in seconds, sizes in bytes; None: not given.

    Attributes:
        began: when the command began, in seconds since 1970.
    """

    timeout: float | None = flag(
        "--timeout",
        type=TIME,
        metavar="TIME",
        help="End after this time, such as 90s, 10m or 1h30m; a number alone is seconds. The "
        "command ends within 5 % more, or 5 s.",
    )
    heartbeat: float | None = flag(
        "--heartbeat",
        type=POSITIVE,
        metavar="S",
        help="Seconds between the signs of life that a trial leaves in the storage.  [default: 10]",
    )
    grace: float | None = flag(
        "--grace",
        type=POSITIVE,
        metavar="S",
        help="Seconds without one after which another worker takes a trial over.  [default: 60]",
    )
    memory: int | None = flag(
        "--memory",
        type=SIZE,
        metavar="SIZE",
        help="End a trial whose worker process holds more, such as 4g; it is tried once more, "
        "alone.  [default: its share of 80 % of the machine's]",
    )
    trial_timeout: float | None = flag(
        "--trial-timeout",
        type=TIME,
        metavar="TIME",
        help="End a trial that takes longer, such as 30m; it is tried once more, alone.",
    )
    progress: ProgressMode = flag(  # noqa: RUF009 (a field)
        "--progress",
        type=click.Choice(get_args(ProgressMode)),
        default="auto",
        show_default=True,
        help="How progress is shown on stderr: live on a terminal, else line by line.",
    )
    artifacts: str | None = flag("--artifacts", metavar="DIR", help=ARTIFACTS)
    storage: str | None = flag("--storage", metavar="URL", help=STUDY_STORAGE)
    began: float = field(default_factory=time.time)

    def limits(self, workers: int | None) -> tuple[WorkerLimits, TrialLimits]:
        """When a worker is replaced, and what one of its trials may take.

        Args:
            workers: how many share this machine; None: they run elsewhere, and a share of the
                memory is not known from here.
        """
        from tuner.workers import TrialLimits, WorkerLimits, available_memory

        seconds = self.trial_timeout
        if workers is None and self.memory is None:
            return WorkerLimits(trials=TRIALS, growth=GROWTH), TrialLimits(seconds=seconds)
        whole = int(SHARE * available_memory())
        cap = whole // (workers or 1) if self.memory is None else self.memory
        # Replaced long before the cap, so that no trial pays for those before it.
        limits = WorkerLimits(trials=TRIALS, growth=min(GROWTH, cap // 4))
        return limits, TrialLimits(cap, whole if self.memory is None else None, seconds)


@dataclass(frozen=True)
class WorkerFlags:
    """How many workers there are, and where: processes of this machine, or on a Ray cluster.

    Raises `UsageError` if the flags do not go together.
    """

    workers: int | None = flag(
        "--workers",
        type=COUNT,
        metavar="N",
        help="Worker processes, one thread each.  [default: the cores]",
    )
    ray: str | None = flag(
        "--ray",
        is_flag=False,
        flag_value="local",
        metavar="[ADDRESS]",
        help="Put the workers on a Ray cluster: auto, HOST:PORT or ray://HOST:PORT. Without an "
        "address, a Ray of its own on this machine.",
    )
    ray_cpus: float | None = flag(
        "--ray-cpus",
        type=click.FloatRange(min=0.0001),
        metavar="N",
        help="CPUs of one worker on Ray, which are its threads.  [default: 1]",
    )
    ray_gpus: float | None = flag(
        "--ray-gpus",
        type=click.FloatRange(min=0),
        metavar="N",
        help="GPUs of one worker on Ray, such as 0.25.  [default: 0]",
    )

    def __post_init__(self) -> None:
        if self.ray is None:
            for name, value in (("--ray-cpus", self.ray_cpus), ("--ray-gpus", self.ray_gpus)):
                if value is not None:
                    raise UsageError(
                        f"{name} says what a worker on Ray takes; received {name} {value:g} "
                        "without --ray. Available: --ray, or --workers N for processes of this "
                        "machine"
                    )
            return
        from tuner.workers.ray import check_address

        check_address(self.ray)
        gpus = self.ray_gpus or 0.0
        if gpus > 1 and gpus != int(gpus):
            raise UsageError(
                "several GPUs of one worker are whole ones, as Ray has it; received --ray-gpus "
                f"{gpus:g}. Available: a fraction up to 1, or 2, 3, ..."
            )

    def typed(self) -> str:
        """The flags of Ray as they are typed, with a space in front of each."""
        words = [" --ray", self.ray]
        words += [f"--ray-cpus {self.ray_cpus:g}"] if self.ray_cpus is not None else []
        words += [f"--ray-gpus {self.ray_gpus:g}"] if self.ray_gpus is not None else []
        return "" if self.ray is None else " ".join(map(str, words))

    def engine(self, storage_url: str, workers: int | None) -> RayEngine:
        from tuner.workers.ray import RayEngine, Share

        assert self.ray is not None
        share = Share(self.ray_cpus or 1.0, self.ray_gpus or 0.0)
        return RayEngine(self.ray, share, storage_url, workers=workers)
