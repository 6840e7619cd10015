"""GridSearchCV over SciKeras's KerasClassifier, two processes."""

from keras_model import build
from problem import FOLDS, INITIALIZERS, Problem, main, table


def make(meta, initializer):
    return build(meta["n_features_in_"], initializer)


def search(problem: Problem) -> dict[str, float]:
    from scikeras.wrappers import KerasClassifier
    from sklearn.model_selection import GridSearchCV

    estimator = KerasClassifier(
        make,
        initializer="glorot_uniform",
        epochs=problem.epochs,
        batch_size=problem.batch,
        verbose=0,
    )
    grid = GridSearchCV(estimator, {"initializer": INITIALIZERS}, cv=FOLDS, n_jobs=2, refit=False)
    return table(grid.fit(problem.x, problem.y), "initializer")


if __name__ == "__main__":
    main(search, "scikeras.wrappers", "sklearn.model_selection")
