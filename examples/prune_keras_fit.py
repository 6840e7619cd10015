"""A Keras model of one's own, tuned by Optuna alone: the callback reports epochs and prunes."""

import keras
import optuna
from sklearn.datasets import load_digits

from tuner.search import PruningCallback

X, y = load_digits(return_X_y=True)
X = X / 16


def objective(trial: optuna.Trial) -> float:
    keras.utils.set_random_seed(trial.number)
    rate = trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    callback = PruningCallback(trial, "val_accuracy")
    history = model.fit(
        X, y, validation_split=0.3, batch_size=128, epochs=6, verbose=0, callbacks=[callback]
    )
    if callback.pruned:
        raise optuna.TrialPruned
    return float(history.history["val_accuracy"][-1])


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=1),
    )
    study.optimize(objective, n_trials=8)
    for trial in study.trials:
        print(f"trial {trial.number}: {trial.state.name.lower()}, {trial.value:.3f}")
    print(f"best: {study.best_params}")
