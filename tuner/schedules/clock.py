"""The time that schedules count in: steps, or whole epochs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuner.schedules.settings import Per


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
