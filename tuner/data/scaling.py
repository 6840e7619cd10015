"""Inputs and regression targets brought to a common scale, fitted on given rows only."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from tuner.data.dataset import Dataset
from tuner.errors import DataError, unknown

ScalingKind = Literal["auto", "none", "standard", "minmax"]
#: Mean and standard deviation of a regression's targets, each `(outputs,)` float32.
TargetScaling = tuple[NDArray[np.float32], NDArray[np.float32]]
_CHUNK = 8192


class Scaling(NamedTuple):
    """Model input = `x * byte_scale * scale + shift`; both `(features,)` float32."""

    shift: NDArray[np.float32]
    scale: NDArray[np.float32]


def resolve_scaling(dataset: Dataset, kind: ScalingKind) -> Literal["none", "standard", "minmax"]:
    """`auto` resolved: none for images whose values lie in 0..1, standard for everything else."""
    if kind != "auto":
        return kind
    x = dataset.x
    within = x.dtype == np.uint8 or (x.min() >= 0 and x.max() <= 1)
    return "none" if dataset.image_shape is not None and within else "standard"


def fit_scaling(dataset: Dataset, rows: NDArray[np.integer], kind: ScalingKind) -> Scaling | None:
    """The scaling of the inputs fitted on `rows` (a fold's training rows); None: identity.

    standard: scikit-learn's StandardScaler, `(x - mean) / std` with the population's standard
    deviation; minmax: its MinMaxScaler to 0..1. Columns that are constant in `rows` are
    divided by 1. Sums run in float64.

    Raises:
        DataError: an unknown kind.
    """
    resolved = resolve_scaling(dataset, kind)
    if resolved == "none":
        return None
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    if resolved not in ("standard", "minmax"):
        raise DataError(unknown("scaling", kind, get_args(ScalingKind)))
    scaler = StandardScaler() if resolved == "standard" else MinMaxScaler()
    for start in range(0, len(rows), _CHUNK):  # float64 copies of all rows would be large
        part = dataset.x[rows[start : start + _CHUNK]].astype(np.float64)
        scaler.partial_fit(part * dataset.byte_scale)
    if resolved == "standard":
        scale = 1.0 / scaler.scale_
        shift = -scaler.mean_ * scale
    else:
        scale, shift = scaler.scale_, scaler.min_
    return Scaling(shift.astype(np.float32), scale.astype(np.float32))


def fit_target_scaling(dataset: Dataset, rows: NDArray[np.integer]) -> TargetScaling:
    """Mean and population standard deviation of a regression's targets over `rows`, each
    `(outputs,)` float32; the deviation of a constant target is 1. Training sees
    `(y - mean) / std`.

    Raises:
        DataError: no regression.
    """
    if dataset.task != "regression":
        raise DataError(f"only targets of a regression are scaled; the task is {dataset.task}")
    y = dataset.y[rows].astype(np.float64)
    std = y.std(axis=0)
    constant = y.max(axis=0) == y.min(axis=0)
    return y.mean(axis=0).astype(np.float32), np.where(constant, 1.0, std).astype(np.float32)
