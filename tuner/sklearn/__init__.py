"""scikit-learn estimators and search classes over `tuner`'s training.

Everything here is loaded when first used; TensorFlow with the first `fit`.
"""

from typing import TYPE_CHECKING

from tuner.lazy import lazy

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
__getattr__ = lazy(__name__, _HOMES)
