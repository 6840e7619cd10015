"""Search a learning rate and a width on the digits; the study goes to digits.db in this folder.

Run again, it finds its eight trials done.
"""

import optuna

from tuner import Space
from tuner.search import prepare_study, run_worker
from tuner.study.library import load_definition

space = Space.from_dict(
    {
        "name": "small",
        "params": {
            "optimizer": "adam",
            "optimizer.learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
            "model.units": {"choices": [16, 32]},
            "epochs": 8,
        },
    }
)
definition = load_definition("default", space=space).override({"folds.k": 3, "seed": 1})

if __name__ == "__main__":
    made = prepare_study(definition, name="digits", storage_url="sqlite:///digits.db", trials=8)
    # Any number of processes, on any machine that reaches the storage, can do this.
    reason = run_worker(
        made.storage_url, made.name, stop=lambda: False, on_event=lambda event: None
    )
    study = optuna.load_study(study_name=made.name, storage=made.storage_url)
    print(f"{reason}: {len(study.trials)} trials")
    print(f"best: trial {study.best_trial.number}, accuracy {study.best_value:.3f}")
    print(study.best_params)
