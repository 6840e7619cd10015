"""scikit-learn estimators and search classes over `tuner`'s training.

Everything here is loaded when first used; TensorFlow with the first `fit`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.sklearn.estimators.classifier import KerasMLPClassifier as KerasMLPClassifier
    from tuner.sklearn.estimators.regressor import KerasMLPRegressor as KerasMLPRegressor
    from tuner.sklearn.search.stacked import StackedGridSearchCV as StackedGridSearchCV
    from tuner.sklearn.search.stacked import StackedRandomizedSearchCV as StackedRandomizedSearchCV
    from tuner.sklearn.search.study import StudySearchCV as StudySearchCV

_HOMES = {
    "KerasMLPClassifier": "estimators.classifier",
    "KerasMLPRegressor": "estimators.regressor",
    "StackedGridSearchCV": "search.stacked",
    "StackedRandomizedSearchCV": "search.stacked",
    "StudySearchCV": "search.study",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tuner.sklearn' has no attribute {name!r}")
    return getattr(import_module(f"tuner.sklearn.{_HOMES[name]}"), name)
