"""`sklearn:NAME`: the real datasets that scikit-learn carries in its own package."""

from __future__ import annotations

import numpy as np

from tuner.data.sources.base import RawData, Request, refuse_columns
from tuner.errors import DataError, unknown

NAMES = ("digits", "iris", "wine", "breast_cancer", "diabetes")


def read(name: str, request: Request) -> RawData:
    """The dataset as scikit-learn's own loader gives it: rows, order and class numbers alike.

    `digits` are 1797 images of 8 x 8 with 17 grey levels, 0 to 16. scikit-learn's digits are
    drawn by hand; they are not MNIST. Target names become the classes.

    Raises:
        DataError: another name, or a column asked for.
    """
    if name not in NAMES:
        raise DataError(unknown("dataset of scikit-learn", name, NAMES))
    refuse_columns(request, f"sklearn:{name}")
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    if name == "digits":
        return RawData(
            x=bunch.images.astype(np.uint8),
            y=bunch.target,
            feature_names=tuple(bunch.feature_names),
            task="multiclass",
        )
    if name == "diabetes":
        return RawData(
            x=bunch.data,
            y=bunch.target,
            feature_names=tuple(bunch.feature_names),
            task="regression",
        )
    return RawData(
        x=bunch.data,
        y=bunch.target,
        feature_names=tuple(str(n) for n in bunch.feature_names),
        class_names=tuple(str(n) for n in bunch.target_names),
        task="binary" if len(bunch.target_names) == 2 else "multiclass",
    )
