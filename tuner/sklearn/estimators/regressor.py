"""The regressor: values in, values out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from tuner.sklearn.estimators.base import KerasMLP
from tuner.sklearn.estimators.documented import with_parameters
from tuner.sklearn.estimators.errors import EstimatorError
from tuner.sklearn.estimators.targets import Targets, value_targets


class KerasMLPRegressor(RegressorMixin, KerasMLP):
    __doc__ = with_parameters("""A Keras MLP as a scikit-learn regressor, of one or several values.

    Targets are standardised for the training, so `loss_curve_` and `delta` are in their standard
    deviations; predictions are in the units of y. Inputs are trained on as they are: put a
    scaler in front. Sparse inputs are made dense. The loss of a row is multiplied by its
    `sample_weight`, as in Keras.

    {parameters}

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,), if X had names
    loss_curve_ : list of float, the training loss of every epoch
    history_ : dict of lists: loss, learning_rate, and val_loss if rows were held out
    n_iter_ : int, epochs trained
    coefs_, intercepts_ : list of ndarray, kernel and bias of each layer
    weights_ : list of ndarray, all weights as `keras.Sequential.get_weights()` orders them
    model_ : keras.Sequential, the trained network; answers in the units of y
    n_layers_, n_outputs_, out_activation_ : as scikit-learn's `MLPRegressor` has them
    plan_ : tuner.planning.TrainingPlan, what was trained
    """)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows `(n, features)` and values `(n,)` or `(n, outputs)`.

        Raises:
            ValueError: bad rows, values, weights or parameters; or the training diverged.
        """
        self._fit(X, y, sample_weight)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch on these rows, going on from what was trained before. Targets keep the
        standardisation of the first rows.

        Raises:
            ValueError: as `fit`; `patience` or the schedule plateau, which need rows held out.
        """
        self._partial_fit(X, y, sample_weight)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Values `(n,)` or `(n, outputs)`, as y was."""
        answers = self._answers(X)
        scaling = self._state.target_scaling
        assert scaling is not None
        mean, std = scaling
        values = answers * std.astype(np.float64) + mean
        return values[:, 0] if self._targets.flat else values

    def read(
        self, X: Any, y: Any, *, reset: bool, classes: Any = None
    ) -> tuple[NDArray[Any], Targets]:
        x, y = self._rows(X, y=y, multi_output=True, y_numeric=True, reset=reset)
        targets = value_targets(y)
        if not reset and targets.outputs != self.n_outputs_:
            raise EstimatorError(
                f"a training goes on with the outputs that it began with, {self.n_outputs_}; got "
                f"{targets.outputs}"
            )
        return x, targets

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
