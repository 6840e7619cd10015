"""The classifier: labels in, labels and probabilities out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.callback import with_callbacks
from sklearn.utils.multiclass import _check_partial_fit_first_call

from tuner.sklearn.estimators.base import KerasMLP
from tuner.sklearn.estimators.documented import with_parameters
from tuner.sklearn.estimators.errors import EstimatorError
from tuner.sklearn.estimators.former import OF_FIT, hints
from tuner.sklearn.estimators.rows import read_rows
from tuner.sklearn.estimators.targets import Targets, class_targets


class KerasMLPClassifier(ClassifierMixin, KerasMLP):
    __doc__ = with_parameters("""A Keras MLP as a scikit-learn classifier.

    Two classes (one sigmoid unit), more (softmax), or a multilabel indicator (a sigmoid a
    label). Inputs are trained on as they are: put a scaler in front. Sparse inputs are made
    dense. The loss of a row is multiplied by its `sample_weight` and by its class's
    `class_weight`, as in Keras.

    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    {attributes}
    """)

    classes_: NDArray[Any]

    @hints(OF_FIT)
    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows `(n, features)` and labels `(n,)`, or an indicator `(n, labels)`.

        Raises:
            ValueError: bad rows, labels, weights or parameters; or the training diverged.
        """
        self._train(X, y, sample_weight)
        return self

    @hints(OF_FIT)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on these rows, going on from what was trained before.

        Args:
            classes: all labels there will be; needed at the first call.

        Raises:
            ValueError: as `fit`; a label that is not among the classes; `patience` or the
                schedule plateau, which need rows held out; a balanced `class_weight`.
        """
        first = _check_partial_fit_first_call(self, classes)
        known = self.classes_
        try:
            self._train(X, y, sample_weight, partial=True, classes=known)
        except Exception:
            if first:  # the call above has set it; a failed first call leaves nothing behind
                del self.classes_
            raise
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row, `(n,)`, or the indicator `(n, labels)`."""
        answers = self._answers(X)
        task = self._targets.task
        if task == "multilabel":
            return (answers > 0).astype(np.int64)
        chosen = answers.argmax(axis=1) if task == "multiclass" else (answers[:, 0] > 0).astype(int)
        labels: NDArray[Any] = self.classes_[chosen]
        return labels

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities `(n, n_classes)`, ordered as `classes_`; of each label for multilabel."""
        answers = self._answers(X)
        if self._targets.task == "multiclass":
            probabilities: NDArray[np.float64] = softmax(answers, axis=1)
            return probabilities
        if self._targets.task == "multilabel":
            return expit(answers)
        return np.concatenate([expit(-answers), expit(answers)], axis=1)

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def read(
        self, X: Any, y: Any, *, reset: bool, classes: Any = None
    ) -> tuple[NDArray[Any], Targets]:
        x, y = read_rows(self, X, y=y, multi_output=True, reset=reset)
        targets = class_targets(y, classes)
        assert targets.classes is not None
        if reset:
            self.classes_ = targets.classes
        elif not np.array_equal(targets.classes, self.classes_):
            raise EstimatorError(
                f"a training goes on with the classes that it began with, "
                f"{self.classes_.tolist()}; got {targets.classes.tolist()}"
            )
        return x, targets

    def _check_weights(self, weight: NDArray[np.float32], targets: Targets) -> None:
        if targets.task == "multilabel":
            return
        left = np.unique(targets.y[weight > 0])
        if len(left) < 2:
            raise EstimatorError(
                "a classifier needs rows of at least 2 classes whose sample_weight is above 0; "
                f"got 1 class, {self.classes_[left[0]]!r}"
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
