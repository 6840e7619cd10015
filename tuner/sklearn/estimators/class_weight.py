"""Weights of labels, as scikit-learn's classifiers take them, to those of class numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from tuner.sklearn.estimators.errors import EstimatorError
from tuner.text import listed, quoted


def weights_of_classes(of_labels: Mapping[Any, float], labels: list[Any]) -> tuple[float, ...]:
    """One factor a class out of those of some labels, as scikit-learn reads them: 1 for a label
    without one.

    Raises EstimatorError for factors that are none, and for a label that no row has if one that
    rows have is left out.
    """
    strange = [label for label in of_labels if label not in labels]
    if strange and not set(labels) <= set(of_labels):
        known = listed([*map(repr, labels)], 8)
        raise EstimatorError(
            f"class_weight may only have labels of y, {known}; got {quoted(strange[0])}"
        )
    for label, factor in of_labels.items():
        if not isinstance(factor, Real) or isinstance(factor, bool) or not 0 <= factor < math.inf:
            raise EstimatorError(
                f"class_weight must give numbers at least 0; got {quoted(factor)} for "
                f"{quoted(label)}"
            )
    weights = tuple(float(of_labels.get(label, 1.0)) for label in labels)
    if sum(weight > 0 for weight in weights) < 2:
        raise EstimatorError(
            f"class_weight must leave at least 2 classes above 0; got {quoted(of_labels)}"
        )
    return weights
