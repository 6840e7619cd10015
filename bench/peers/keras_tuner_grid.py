"""KerasTuner's GridSearch with the folds in a hypermodel's `fit`; it has one process."""

import tempfile

import numpy as np
from keras_model import build
from problem import FOLDS, INITIALIZERS, Problem, main


def search(problem: Problem) -> dict[str, float]:
    import keras_tuner
    from sklearn.model_selection import StratifiedKFold

    splits = list(StratifiedKFold(FOLDS).split(problem.x, problem.y))

    class Folds(keras_tuner.HyperModel):
        def build(self, hp):
            return build(problem.x.shape[1], hp.Choice("initializer", INITIALIZERS))

        def fit(self, hp, model, *args, **kwargs):
            scores = []
            for train, test in splits:
                own = self.build(hp)
                own.fit(
                    problem.x[train],
                    problem.y[train],
                    epochs=problem.epochs,
                    batch_size=problem.batch,
                    verbose=0,
                )
                scores.append(own.evaluate(problem.x[test], problem.y[test], verbose=0)[1])
            return {"val_accuracy": float(np.mean(scores))}

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.GridSearch(
            Folds(),
            objective=keras_tuner.Objective("val_accuracy", "max"),
            directory=folder,
            max_trials=None,
        )
        tuner.search(verbose=0)
        return {
            trial.hyperparameters.get("initializer"): float(trial.score)
            for trial in tuner.oracle.trials.values()
        }


if __name__ == "__main__":
    main(search, "keras_tuner", "sklearn.model_selection")
