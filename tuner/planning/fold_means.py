"""The mean over the folds: what a candidate is judged by after every epoch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: How a fold can have come to its end with a score.
ENDED = ("completed", "stopped")


def mean_over_folds(
    scores: NDArray[np.float64], judged: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The mean of `scores` `(..., folds)` over the folds; NaN if a fold has none.

    A fold that has ended counts with its score in `judged`, of the same shape and NaN for all
    other folds, so that the last mean of a candidate is what it is judged by.
    """
    return np.asarray(np.where(np.isnan(judged), scores, judged).mean(axis=-1))


def mean_fold_curve(
    scores: NDArray[np.floating], score_epoch: Sequence[int], status: Sequence[str]
) -> NDArray[np.float64]:
    """`(epochs,)`: `mean_over_folds` after every epoch.

    Args:
        scores: `(epochs, folds)`, NaN for epochs that a fold did not run.
        score_epoch, status: one a fold, see `tuner.training.TrialScores`.
    """
    curves = np.array(scores, np.float64)
    judged = np.full(curves.shape, np.nan)
    for fold, how in enumerate(status):
        if how in ENDED:
            [ran] = np.nonzero(~np.isnan(curves[:, fold]))
            judged[ran[-1] :, fold] = curves[int(score_epoch[fold]) - 1, fold]
    return mean_over_folds(curves, judged)
