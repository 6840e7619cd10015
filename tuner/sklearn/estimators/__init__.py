"""Keras MLPs as scikit-learn estimators."""

from tuner.sklearn.estimators.classifier import KerasMLPClassifier as KerasMLPClassifier
from tuner.sklearn.estimators.regressor import KerasMLPRegressor as KerasMLPRegressor
