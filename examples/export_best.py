"""Refit the best trial of search_digits.py on all rows, write it, and use it with Keras alone."""

import json
import sys
from pathlib import Path

import keras
import optuna
from sklearn.datasets import load_digits

from tuner.export import chosen_trial, refit_trial, study_dataset, write_export
from tuner.study.stored import read_definition

FOLDER = Path("digits_model")

if __name__ == "__main__":
    if FOLDER.exists():
        sys.exit(f"{FOLDER} must be new; it is there already")
    study = optuna.load_study(study_name="digits", storage="sqlite:///digits.db")
    definition = read_definition(study)
    refitted = refit_trial(study, chosen_trial(study, None), study_dataset(study, definition))
    write_export(refitted, FOLDER, study="digits", metrics=definition.all_metrics)

    # From here on tuner is not needed: raw rows go in, preprocessing is part of the model.
    model = keras.saving.load_model(FOLDER / "model.keras")
    classes = json.loads((FOLDER / "classes.json").read_text())
    rows, digits = load_digits(return_X_y=True)
    answers = [classes[k] for k in model.predict(rows[:10], verbose=0).argmax(axis=1)]
    print("files:", ", ".join(sorted(path.name for path in FOLDER.iterdir())))
    print("asked:", *digits[:10])
    print("found:", *answers)
