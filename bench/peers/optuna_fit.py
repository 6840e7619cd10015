"""Plain Optuna, a hand-written objective that fits one fold after another; two processes."""

import multiprocessing
import os
import tempfile

import numpy as np
from keras_model import build
from problem import FOLDS, INITIALIZERS, Problem, load, main


def objective(trial, problem: Problem) -> float:
    from sklearn.model_selection import StratifiedKFold

    initializer = trial.suggest_categorical("initializer", INITIALIZERS)
    scores = []
    for train, test in StratifiedKFold(FOLDS).split(problem.x, problem.y):
        model = build(problem.x.shape[1], initializer)
        model.fit(
            problem.x[train],
            problem.y[train],
            epochs=problem.epochs,
            batch_size=problem.batch,
            verbose=0,
        )
        scores.append(model.evaluate(problem.x[test], problem.y[test], verbose=0)[1])
    return float(np.mean(scores))


def work(storage: str, name: str) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="grid", storage=storage)
    problem = load(name)
    while any(t.state.name == "WAITING" for t in study.get_trials(deepcopy=False)):
        study.optimize(lambda trial: objective(trial, problem), n_trials=1)


def search(problem: Problem) -> dict[str, float]:
    import sys

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        storage = f"sqlite:///{os.path.join(folder, 'study.db')}"
        study = optuna.create_study(study_name="grid", storage=storage, direction="maximize")
        for initializer in INITIALIZERS:
            study.enqueue_trial({"initializer": initializer})
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=work, args=(storage, sys.argv[1])) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return {t.params["initializer"]: t.value for t in study.trials if t.value is not None}


if __name__ == "__main__":
    main(search, "optuna")
