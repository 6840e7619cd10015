"""Inputs that are zero in every row: a network trains the same without them.

The borders of images and the rare classes of one-hot columns are such. Their products add zero, and
so do the gradients of their weights, which end as they began.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuner.planning.plan import TrainingPlan

#: Columns are kept in multiples of so many: a vector register's float32 values.
_VECTOR = 16
#: Share of the columns above which leaving the others out gains too little.
_MOST = 0.95


def used_inputs(x: NDArray[np.generic]) -> NDArray[np.intp] | None:
    """The rising numbers of the columns of `x` `(rows, features)` that hold anything but zeros
    (and as many others as make them a multiple of 16); None if that is nearly all of them."""
    features = x.shape[1]
    used = np.asarray(x.any(axis=0))
    wanted = min(features, max(1, -(-int(used.sum()) // _VECTOR)) * _VECTOR)
    if wanted > _MOST * features:
        return None
    used[np.flatnonzero(~used)[: wanted - int(used.sum())]] = True
    return np.flatnonzero(used)


def unused_weights_stay(plan: TrainingPlan) -> bool:
    """Whether weights whose gradient is always zero end as they began, under this plan.

    Not if something else than the gradient moves them: penalties, weight decay, and FTRL, which
    computes weights from sums of gradients alone.
    """
    model, optimizer = plan.model, plan.optimizer
    decayed = bool(optimizer.setting("weight_decay")) or model.l1 > 0 or model.l2 > 0
    return not decayed and optimizer.name != "ftrl"
