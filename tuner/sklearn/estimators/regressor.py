"""The regressor: values in, values out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.callback import with_callbacks

from tuner.sklearn.estimators.base import KerasMLP
from tuner.sklearn.estimators.documented import with_parameters
from tuner.sklearn.estimators.errors import EstimatorError
from tuner.sklearn.estimators.former import OF_FIT, hints
from tuner.sklearn.estimators.rows import read_rows
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
    {attributes}
    """)

    @hints(OF_FIT)
    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows `(n, features)` and values `(n,)` or `(n, outputs)`.

        Raises:
            ValueError: bad rows, values, weights or parameters; or the training diverged.
        """
        self._train(X, y, sample_weight)
        return self

    @hints(OF_FIT)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch on these rows, going on from what was trained before. Targets keep the
        standardisation of the first rows.

        Raises:
            ValueError: as `fit`; `patience` or the schedule plateau, which need rows held out.
        """
        self._train(X, y, sample_weight, partial=True)
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
        x, y = read_rows(self, X, y=y, multi_output=True, y_numeric=True, reset=reset)
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
