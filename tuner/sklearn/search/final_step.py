"""The estimator that learns: a bare one, or the last step of a pipeline."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from tuner.sklearn.estimators import KerasMLPClassifier, KerasMLPRegressor


def final_estimator(estimator: Any) -> KerasMLPClassifier | KerasMLPRegressor | None:
    """Our estimator in `estimator`; None if there is none that a stack can train.

    A subclass with a `fit` of its own is not ours to train.
    """
    final = estimator
    if type(estimator) is Pipeline:
        final = estimator.steps[-1][1] if estimator.steps else None
    for ours in (KerasMLPClassifier, KerasMLPRegressor):
        if isinstance(final, ours) and type(final).fit is ours.fit:
            return final
    return None
