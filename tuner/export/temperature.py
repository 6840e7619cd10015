"""One temperature that calibrates probabilities.

Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017: the logits are
divided by the temperature whose probabilities have the least log loss on rows that the network has
not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Task

#: Between which temperatures the least log loss is looked for: without a wrong row there is none.
LOWEST, HIGHEST = 0.05, 20.0
_TINY = 1e-300


class Calibration(NamedTuple):
    """`temperature`, and the mean out-of-fold log loss `before` and `after`; of several labels the
    mean over them."""

    temperature: float
    before: float
    after: float


def fit_temperature(
    logits: Sequence[NDArray[np.float32]],
    shares: Sequence[float],
    y: NDArray[Any],
    task: Task,
) -> Calibration:
    """The temperature of models that answer together.

    Args:
        logits: of each model, `(rows, outputs)`.
        shares: of each in the mean of their probabilities; they add up to 1.
        y: `(rows,)` class numbers, of several labels `(rows, labels)` 0 and 1.
    """
    from scipy.optimize import minimize_scalar

    sums = [own.astype(np.float64) for own in logits]

    def log_loss(log_temperature: float) -> float:
        cold = np.exp(-log_temperature)
        said = sum(
            share * _of_the_truth(own * cold, y, task)
            for own, share in zip(sums, shares, strict=True)
        )
        return float(-np.mean(np.log(np.maximum(said, _TINY))))

    found = minimize_scalar(
        log_loss,
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return Calibration(float(np.exp(found.x)), log_loss(0.0), float(found.fun))


def _of_the_truth(logits: NDArray[np.float64], y: NDArray[Any], task: Task) -> NDArray[np.float64]:
    """The probability of what is true of each row (and label)."""
    from scipy.special import expit, log_softmax

    if task == "multiclass":
        own = np.take_along_axis(log_softmax(logits, axis=1), y.astype(np.intp)[:, None], axis=1)
        return np.asarray(np.exp(own))
    return np.asarray(expit(np.where(y.reshape(logits.shape) > 0.5, logits, -logits)))
