"""What several schedules share: settings, and the time they count in (steps, epochs, cycles)."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuner.parameters import setting

Per = Literal["step", "epoch"]

DECAY = setting(0.001, "How fast the rate falls.", low=0)
PER = setting("step", "What a decay counts: updates or epochs.", choices=("step", "epoch"))
END_RATE = setting(0.0, "Rate at the end as a fraction of the base rate.", low=0, high=1)
RESTART_EVERY = setting(10, "Epochs until the first restart (n).", low=1)
CYCLE_MULT = setting(1.0, "Each cycle's length over the one before.", low=1)


def steps(steps_per_epoch: int, epochs: int) -> NDArray[np.float64]:
    """The number of every step, from 0: shape `(epochs * steps_per_epoch,)`."""
    return np.arange(epochs * steps_per_epoch, dtype=np.float64)


def epoch_numbers(steps_per_epoch: int, epochs: int) -> NDArray[np.int64]:
    """The number of the epoch that every step is in, from 0: same shape."""
    return np.repeat(np.arange(epochs, dtype=np.int64), steps_per_epoch)


def clock(per: Per, steps_per_epoch: int, epochs: int) -> NDArray[np.float64]:
    """t of every step: its own number, or the number of its epoch."""
    if per == "step":
        return steps(steps_per_epoch, epochs)
    return epoch_numbers(steps_per_epoch, epochs).astype(np.float64)


def cosine_fall(fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half a cosine wave: 1 at fraction 0, one half at 0.5, 0 at 1."""
    return 0.5 * (1.0 + np.cos(np.pi * fraction))


def cycle_starts(
    first: float, growth: float, end: float, restarts: int | None = None
) -> NDArray[np.float64]:
    """When cycles start, the first at 0, all before `end`: `first * (1 + growth + growth^2 ...)`,
    each cycle `growth` times as long as the one before.

    Times and lengths are in one unit, steps or epochs, and need not be whole. `restarts` bounds
    how many starts follow the first; None: as many as begin before `end`.
    """
    starts, length = [0.0], float(first)
    while restarts is None or len(starts) <= restarts:
        # Rounded so that a start that is whole in theory is whole.
        start = round(starts[-1] + length, 6)
        if start >= end:
            break
        starts.append(start)
        length *= growth
    return np.array(starts)
