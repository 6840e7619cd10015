"""Keras MLPs as scikit-learn estimators."""

from __future__ import annotations

from tuner.sklearn.estimators.classifier import KerasMLPClassifier as KerasMLPClassifier
from tuner.sklearn.estimators.regressor import KerasMLPRegressor as KerasMLPRegressor
