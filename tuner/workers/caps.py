"""What is allowed to a worker and its trials on this machine, if nobody says."""

from __future__ import annotations

from tuner.resources import available_memory
from tuner.workers.limits import TrialLimits
from tuner.workers.recycling import WorkerLimits

#: The share of the machine's memory that workers may hold together.
SHARE = 0.8
#: Trials after which a worker is replaced, and bytes by which it may grow at most before that.
TRIALS, GROWTH = 1000, 512 << 20


def caps(
    workers: int | None, memory: int | None = None, seconds: float | None = None
) -> tuple[WorkerLimits, TrialLimits]:
    """When a worker is replaced, and what one of its trials may take.

    Args:
        workers: how many share this machine; None: they run elsewhere, and a share of the
            memory is not known from here.
        memory: bytes that a worker may hold; None: its share of `SHARE` of the machine's.
        seconds: of a trial.
    """
    if workers is None and memory is None:
        return WorkerLimits(trials=TRIALS, growth=GROWTH), TrialLimits(seconds=seconds)
    whole = int(SHARE * available_memory())
    cap = whole // (workers or 1) if memory is None else memory
    # Replaced long before the cap, so that no trial pays for those before it.
    limits = WorkerLimits(trials=TRIALS, growth=min(GROWTH, cap // 4))
    return limits, TrialLimits(cap, whole if memory is None else None, seconds)
