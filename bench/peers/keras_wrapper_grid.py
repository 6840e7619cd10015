"""GridSearchCV over Keras's own SKLearnClassifier, two processes."""

import os
from typing import Any

from keras_model import build
from problem import FOLDS, INITIALIZERS, Problem, main

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def make(X, y, initializer="glorot_uniform"):
    return build(X.shape[1], initializer, "categorical_crossentropy")


def score(estimator: Any, x: Any, y: Any) -> float:
    """Accuracy; the wrapper's own `predict` prints a bar for every batch."""
    answers = estimator.model_.predict(x, verbose=0).argmax(1)
    return float((answers == y).mean())


def search(problem: Problem) -> dict[str, float]:
    from keras.wrappers import SKLearnClassifier
    from sklearn.model_selection import GridSearchCV

    fit = {"epochs": problem.epochs, "batch_size": problem.batch, "verbose": 0}
    grid = GridSearchCV(
        SKLearnClassifier(make),
        {"model_kwargs": [{"initializer": name} for name in INITIALIZERS]},
        cv=FOLDS,
        n_jobs=2,
        refit=False,
        scoring=score,
    )
    # Given to the estimator, `fit_kwargs` would be lost: its `__sklearn_clone__` leaves them out.
    grid.fit(problem.x, problem.y, **fit)
    means = grid.cv_results_["mean_test_score"]
    return dict(zip(INITIALIZERS, map(float, means), strict=True))


if __name__ == "__main__":
    main(search, "keras.wrappers", "sklearn.model_selection")
