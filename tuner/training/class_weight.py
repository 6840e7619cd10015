"""Factors of the losses of rows by their class: rare classes can count as much as others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Dataset, Fold
from tuner.planning.plan import TrainingPlan


def class_weights(
    plans: Sequence[TrainingPlan],
    folds: Sequence[Fold],
    dataset: Dataset,
    sample_weight: NDArray[np.floating] | None = None,
) -> NDArray[np.float32] | None:
    """`(N, classes)`, of networks that train as `plans` on `folds`, one a network; None if no
    plan has any.

    "balanced" is scikit-learn's `rows / (classes * rows of the class)`, of the classes among the
    fold's training rows; with `sample_weight` `(rows,)` sums of weights stand for numbers of
    rows.
    """
    if all(plan.loss.class_weight == "none" for plan in plans):
        return None
    assert dataset.classes is not None
    weights = np.ones((len(plans), len(dataset.classes)), np.float32)
    for own, plan, fold in zip(weights, plans, folds, strict=True):
        wanted = plan.loss.class_weight
        if wanted == "balanced":
            rows = None if sample_weight is None else sample_weight[fold.train]
            sums = np.bincount(dataset.y[fold.train], weights=rows, minlength=len(own))
            there = sums > 0
            own[there] = sums.sum() / (there.sum() * sums[there])
        elif wanted != "none":
            own[:] = wanted
    return weights
