"""`--memory` and `--trial-timeout`, and what follows without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.cli.study_flags import read_seconds
from tuner.errors import UsageError

if TYPE_CHECKING:
    from tuner.workers import TrialLimits, WorkerLimits

#: The share of the machine's memory that workers may hold together.
SHARE = 0.8
#: Trials after which a worker is replaced, and bytes by which it may grow at most before that.
TRIALS, GROWTH = 1000, 512 << 20


def worker_limits(
    memory: str | None, trial_timeout: str | None, *, workers: int | None
) -> tuple[WorkerLimits, TrialLimits]:
    """When a worker is replaced, and what one of its trials may take.

    Args:
        memory, trial_timeout: as typed; None: not said.
        workers: how many share this machine; None: they run elsewhere, where a share of the memory
            is not known from here.

    Raises:
        UsageError: no size, or no time.
    """
    from tuner.workers import TrialLimits, WorkerLimits, available_memory

    seconds = None if trial_timeout is None else read_seconds("--trial-timeout", trial_timeout)
    if workers is None and memory is None:
        return WorkerLimits(trials=TRIALS, growth=GROWTH), TrialLimits(seconds=seconds)
    whole = int(SHARE * available_memory())
    cap = whole // (workers or 1) if memory is None else memory_bytes(memory)
    # Replaced long before the cap, so that no trial pays for those before it.
    limits = WorkerLimits(trials=TRIALS, growth=min(GROWTH, cap // 4))
    return limits, TrialLimits(cap, whole if memory is None else None, seconds)


def memory_bytes(text: str) -> int:
    """A size such as `4g`. Raises `UsageError`."""
    units = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    try:
        size = int(float(number) * units.get(unit, 0 if unit else 1))
    except (ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(
            f"--memory takes bytes with one of the units K, M, G, T; received {text!r}. "
            "Available, for example: --memory 2G"
        )
    return size
