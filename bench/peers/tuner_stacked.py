"""`tuner.sklearn.StackedGridSearchCV`: two stacks of 20 networks, each in its thread."""

from problem import FOLDS, INITIALIZERS, MOMENTUM, RATE, Problem, main, table

from tuner.training import set_threads


def search(problem: Problem) -> dict[str, float]:
    from tuner.sklearn import KerasMLPClassifier, StackedGridSearchCV

    estimator = KerasMLPClassifier(
        (64, 64),
        optimizer="sgd",
        learning_rate=RATE,
        momentum=MOMENTUM,
        nesterov=True,
        batch_size=problem.batch,
        epochs=problem.epochs,
        random_state=0,
    )
    grid = StackedGridSearchCV(
        estimator, {"initializer": INITIALIZERS}, cv=FOLDS, n_jobs=2, refit=False
    )
    return table(grid.fit(problem.x, problem.y), "initializer")


if __name__ == "__main__":
    set_threads(stacks=2)
    main(search, "tuner.training.trainer", "sklearn.model_selection")
