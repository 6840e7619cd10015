"""Grouped studies on real data, against trainings apart and against scikit-learn."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from tests.support.studies import definition, load
from tuner.planning import network_seed
from tuner.search.events import EpochDone, Event
from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.search.study_trainer import StudyTrainer
from tuner.storage import records
from tuner.study.data import load_study_data
from tuner.training import set_threads

set_threads()

SMALL = {"model.layers": 1, "model.units": 8, "batch_size": 32}
GRID = {
    **SMALL,
    "initializer": {"values": ["he_normal", "zeros", "glorot_uniform"]},
    "epochs": {"values": [1, 3, 2]},
    "model.dropout": 0.2,
}


def grid(params=GRID, **changes):
    changes = {"data__limit": 240, "folds__k": 3, "sampler": "grid", **changes}
    return definition(params, **changes)


def search(url, made, **settings):
    prepared = prepare_study(made, name="study", storage_url=url, trials=None)
    settings.setdefault("stop", lambda: False)
    settings.setdefault("on_event", lambda event: None)
    run_worker(url, "study", **settings)
    return prepared.definition


def seeds_of(made, ticket):
    return [[network_seed(made.seed, ticket, fold) for fold in range(3)]]


def scores_of(url):
    """All that a grid's result is, to the last bit."""
    return {
        trial.user_attrs[records.TICKET]: (trial.params, trial.user_attrs[records.METRICS])
        for trial in load(url).trials
        if trial.state == TrialState.COMPLETE
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam"},
        {"optimizer": "sgd", "optimizer.momentum": 0.9, "schedule": "time", "schedule.decay": 0.01},
        {"schedule": "exponential", "schedule.decay": 0.1, "schedule.warmup": 1},
    ],
    ids=["adam", "time", "warmup"],
)
def test_scores_on_the_way_are_those_of_trainings_apart(sqlite, settings):
    made = search(sqlite, grid({**GRID, **settings}, metrics=["loss", "f1_macro"]))
    trainer = StudyTrainer(made)
    trials = load(sqlite).trials
    assert len(trials) == 9
    firsts: dict[Any, Any] = {}
    for ticket, trial in enumerate(trials):
        first = firsts.setdefault(trial.params["initializer"], ticket)
        plan = trainer.plan(made.space.complete(trial.params))
        assert plan.epochs == trial.params["epochs"]
        [apart] = trainer.train([plan], seeds_of(made, first))
        for name, values in trial.user_attrs[records.METRICS].items():
            np.testing.assert_allclose(values, apart.fold_scores(name), atol=1e-6, rtol=0)
        assert trial.value == pytest.approx(apart.fold_scores("accuracy").mean(), abs=1e-6)
        reports = list(trial.intermediate_values.values())
        np.testing.assert_allclose(reports, apart.mean_curve("accuracy"), atol=1e-6, rtol=0)


@pytest.mark.slow
def test_rates_that_depend_on_the_total_train_apart(sqlite):
    made = search(sqlite, grid({**GRID, "schedule": "cosine"}, metrics=["loss"]))
    trainer = StudyTrainer(made)
    for ticket, trial in enumerate(load(sqlite).trials):
        plan = trainer.plan(made.space.complete(trial.params))
        [apart] = trainer.train([plan], seeds_of(made, ticket))
        loss = trial.user_attrs[records.METRICS]["loss"]
        np.testing.assert_allclose(loss, apart.fold_scores("loss"), atol=1e-6, rtol=0)


def test_early_stopping_ends_each_candidate_of_a_stack_by_itself(sqlite):
    params = {
        **GRID,
        "epochs": 12,
        "early_stopping.patience": 2,
        "optimizer.learning_rate": {"values": [1e-9, 0.05]},
    }
    events: list[Event] = []
    made = search(sqlite, grid(params), on_event=events.append)
    trainer = StudyTrainer(made)
    ends = []
    for ticket, trial in enumerate(load(sqlite).trials):
        told = [each for each in events if isinstance(each, EpochDone)]
        live = {each.epoch - 1: each.value for each in told if each.number == trial.number}
        assert live == trial.intermediate_values
        plan = trainer.plan(made.space.complete(trial.params))
        [apart] = trainer.train([plan], seeds_of(made, ticket))
        assert trial.user_attrs[records.SCORE_EPOCHS] == apart.score_epoch.tolist()
        assert trial.user_attrs[records.EPOCHS_RUN] == apart.epochs_run
        assert len(trial.intermediate_values) == apart.epochs_run
        assert trial.value == pytest.approx(apart.fold_scores("accuracy").mean(), abs=1e-6)
        ends.append(apart.epochs_run)
    assert min(ends) < 12  # somebody did stop


def test_a_rate_that_breaks_one_candidate_leaves_the_others_alone(sqlite):
    rates = {"values": [1e-3, 1e30]}
    params = {**SMALL, "optimizer": "sgd", "optimizer.learning_rate": rates, "epochs": 3}
    made = search(sqlite, grid(params))
    sound, broken = load(sqlite).trials
    assert (sound.state, broken.state) == (TrialState.COMPLETE, TrialState.FAIL)
    assert broken.user_attrs[records.CAUSE].startswith("diverged: the loss of fold")
    assert None in broken.user_attrs[records.FOLD_SCORES]
    trainer = StudyTrainer(made)
    plan = trainer.plan(made.space.complete(sound.params))
    [apart] = trainer.train([plan], seeds_of(made, 0))
    assert sound.value == pytest.approx(apart.fold_scores("accuracy").mean(), abs=1e-6)


class Rows(ClassifierMixin, BaseEstimator):
    """Learns nothing; its score says which rows it was scored on."""

    def __init__(self, epochs: int = 1, initializer: str = "", rate: float = 0.0) -> None:
        self.epochs = epochs
        self.initializer = initializer
        self.rate = rate

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def score(self, x, y):
        return float((np.asarray(x, np.float64).sum(axis=1) * np.arange(1, len(x) + 1)).sum())


def queued(url, made):
    prepare_study(made, name="study", storage_url=url, trials=None)
    return [trial.system_attrs["fixed_params"] for trial in load(url).trials]


def test_candidates_and_splits_are_those_of_stock_grid_search_cv(sqlite):
    made = grid(folds__k=5)
    dataset, folds = load_study_data(made)
    values = {"initializer": ["he_normal", "zeros", "glorot_uniform"], "epochs": [1, 3, 2]}
    stock = GridSearchCV(Rows(), values, cv=5, refit=False).fit(dataset.x, dataset.y)
    assert queued(sqlite, made) == stock.cv_results_["params"]
    for i, fold in enumerate(folds):
        [score] = set(stock.cv_results_[f"split{i}_test_score"])
        assert score == Rows().score(dataset.x[fold.validation], None)
        assert len(np.intersect1d(fold.train, fold.validation)) == 0
        assert len(fold.train) + len(fold.validation) == 240


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize("kind", ["lists", "distributions"])
def test_random_candidates_are_those_of_stock_randomized_search_cv(sqlite, kind, seed):
    space = {"epochs": {"values": [1, 2]}, "initializer": {"values": ["zeros", "he_normal"]}}
    drawn: dict[str, object] = {"epochs": [1, 2], "initializer": ["zeros", "he_normal"]}
    if kind == "distributions":
        space["optimizer.learning_rate"] = {"low": 1e-3, "high": 1.0, "log": True}
        drawn["rate"] = loguniform(1e-3, 1.0)
    spec = {"name": "sklearn-random", "random_state": seed}
    ours = queued(sqlite, grid({**SMALL, **space}, sampler=spec, trials=4))
    stock = RandomizedSearchCV(Rows(), drawn, n_iter=4, random_state=seed, cv=2, refit=False)
    stock.fit(np.eye(20), np.arange(20) % 2)
    named = [
        {"optimizer.learning_rate" if k == "rate" else k: v for k, v in point.items()}
        for point in stock.cv_results_["params"]
    ]
    assert ours == named
    if kind == "lists":  # without replacement
        assert len({tuple(sorted(point.items())) for point in ours}) == 4


TUNER = [str(Path(sys.executable).with_name("tuner"))]


def optimize(url, space, *flags):
    given = ["--sampler", "grid", "--name", "study", "--storage", url, "--folds", "3"]
    given += ["--set", "epochs={values: [4, 6]}", "--metric", "accuracy", "--metric", "loss"]
    return subprocess.Popen(
        [*TUNER, "optimize", "--space", space, *given, "--progress", "none", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_scores_are_the_same_to_the_last_bit_with_one_two_and_four_workers_and_a_kill(tmp_path):
    results = []
    for workers in (1, 2, 4, 0):
        url = f"sqlite:///{tmp_path}/{workers}.db"
        run = optimize(url, "initializers", "--workers", str(workers or 2))
        if workers == 0:
            kill_a_worker(url)
        _, err = run.communicate(timeout=300)
        assert run.returncode == 0, err
        complete = [t for t in load(url).trials if t.state == TrialState.COMPLETE]
        tickets = Counter(trial.user_attrs[records.TICKET] for trial in complete)
        assert tickets == dict.fromkeys(range(16), 1)
        results.append(scores_of(url))
    assert results[1:] == [results[0]] * 3


def kill_a_worker(url):
    """SIGKILL to the process that runs the first trial found running."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            trials = load(url).trials
        except Exception:
            trials = []
        for trial in trials:
            if trial.state == TrialState.RUNNING and records.WORKER in trial.system_attrs:
                os.kill(int(trial.system_attrs[records.WORKER].split(":")[1]), signal.SIGKILL)
                return
        time.sleep(0.02)
    raise AssertionError("no trial ran")
