"""GridSearchCV over scikit-learn's own MLPClassifier, two processes: 8 seeds for 8 candidates."""

import warnings

from problem import FOLDS, MOMENTUM, RATE, Problem, main, table


def search(problem: Problem) -> dict[str, float]:
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier

    estimator = MLPClassifier(
        (64, 64),
        solver="sgd",
        learning_rate_init=RATE,
        momentum=MOMENTUM,
        nesterovs_momentum=True,
        batch_size=problem.batch,
        max_iter=problem.epochs,
        tol=0.0,
        n_iter_no_change=10**6,
        alpha=0.0,
    )
    seeds = list(range(8))
    grid = GridSearchCV(estimator, {"random_state": seeds}, cv=FOLDS, n_jobs=2, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return table(grid.fit(problem.x, problem.y), "random_state")


if __name__ == "__main__":
    import os

    os.environ["PYTHONWARNINGS"] = "ignore"
    main(search, "sklearn.neural_network", "sklearn.model_selection")
