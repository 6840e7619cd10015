"""`--nested` against scikit-learn's own nested cross-validation of the same choices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tuner
from tuner.sklearn import KerasMLPClassifier

RATES = [0.0003, 0.003, 0.03]


@pytest.mark.slow
def test_choices_and_outer_scores_are_those_of_scikit_learn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    space = {
        "model.layers": 1,
        "model.units": 8,
        "optimizer": "adam",
        "optimizer.learning_rate": tuner.values(*RATES),
        "epochs": 12,
        "batch_size": 8,
    }
    study = tuner.optimize(
        space,
        data="sklearn:iris",
        sampler="grid",
        folds=3,
        scaling="standard",
        nested=3,
        name="n",
        workers=1,
        progress="none",
    )
    network = KerasMLPClassifier(
        hidden_layer_sizes=(8,), optimizer="adam", epochs=12, batch_size=8, random_state=0
    )
    grid = GridSearchCV(
        make_pipeline(StandardScaler(), network),
        {"kerasmlpclassifier__learning_rate": RATES},
        cv=StratifiedKFold(3),
    )
    X, y = load_iris(return_X_y=True)
    found = cross_validate(grid, X, y, cv=StratifiedKFold(3), return_estimator=True)
    folds = study.nested.folds
    for fold, searched, outer in zip(folds, found["estimator"], found["test_score"], strict=True):
        own = fold.chosen["best"]
        inner = tuner.load(f"n-outer{fold.fold}")
        [chosen] = searched.best_params_.values()
        assert inner.best.params["optimizer.learning_rate"] == chosen
        # Other seeds: 3 of 50 rows, of 100 for the promised score.
        assert own.outer == pytest.approx(outer, abs=0.07)
        assert own.inner == pytest.approx(searched.best_score_, abs=0.05)
        means = inner.table().sort_values("number")["mean_test_score"]
        assert (
            np.argsort(means).tolist()
            == np.argsort(searched.cv_results_["mean_test_score"]).tolist()
        )
    # What is scored is what an export of the outer fold's study is scored at.
    inner.export("model")
    settings = (tmp_path / "model" / "settings.json").read_text()
    assert f'"accuracy": {folds[-1].chosen["best"].outer}' in settings
    summary = study.nested.summary()
    assert summary.outer == pytest.approx(found["test_score"].mean(), abs=0.04)
