"""StudySearchCV: scikit-learn's interface, Optuna's decisions."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.sklearn_searches import Stacks, digits, same_results
from tuner.sklearn import KerasMLPClassifier, StudySearchCV
from tuner.spaces import load_space
from tuner.storage import records

SPACE = {
    "learning_rate": FloatDistribution(1e-4, 1.0, log=True),
    "batch_size": IntDistribution(32, 96, step=32),
    "initializer": CategoricalDistribution(["he_normal", "zeros"]),
}


def classifier(**params: Any) -> KerasMLPClassifier:
    settings = {"hidden_layer_sizes": (8,), "epochs": 3, "random_state": 0, "optimizer": "sgd"}
    return KerasMLPClassifier(**{**settings, **params})


def search(space: Any = SPACE, estimator: Any = None, **settings: Any) -> StudySearchCV:
    own = {"n_trials": 4, "cv": 2, "random_state": 1, "pruner": "none", **settings}
    return StudySearchCV(estimator or classifier(), space, **own)


def test_scores_are_those_of_separate_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = Stacks(monkeypatch)
    X, y = digits(300)
    scoring = ["accuracy", "neg_log_loss"]
    ours = search(scoring=scoring, refit="neg_log_loss", return_train_score=True).fit(X, y)
    assert stacks.networks == [2] * 4 + [1]
    grid = [
        {name: [value] for name, value in params.items()} for params in ours.cv_results_["params"]
    ]
    stock = GridSearchCV(
        classifier(), grid, cv=2, scoring=scoring, refit="neg_log_loss", return_train_score=True
    ).fit(X, y)
    results = dict(ours.cv_results_)
    assert results.pop("trial_state").tolist() == ["complete"] * 4
    assert results.pop("trial_number").tolist() == [0, 1, 2, 3]
    assert results.pop("epochs_run").tolist() == [3] * 4
    same_results(results, stock.cv_results_, rows=150)
    assert ours.best_params_ == stock.best_params_
    np.testing.assert_allclose(ours.predict_proba(X), stock.predict_proba(X), atol=1e-6)
    values = [trial.value for trial in ours.study_.trials]
    np.testing.assert_allclose(values, ours.cv_results_["mean_test_neg_log_loss"])


def test_an_optuna_sampler_is_asked_as_optuna_asks_it() -> None:
    X, y = digits(200)
    ours = search(sampler=optuna.samplers.RandomSampler(seed=3)).fit(X, y)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    asked = [study.ask(SPACE).params for _ in range(4)]
    assert ours.cv_results_["params"] == asked


def test_an_integer_random_state_repeats_the_search() -> None:
    X, y = digits(200)
    first, again, other = (search(random_state=seed).fit(X, y).cv_results_ for seed in (1, 1, 2))
    assert first["params"] == again["params"] != other["params"]
    np.testing.assert_array_equal(first["mean_test_score"], again["mean_test_score"])


class PruneFrom(optuna.pruners.BasePruner):
    """Ends every trial but the first at an epoch."""

    def __init__(self, step: int) -> None:
        self.step = step

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        return trial.number > 0 and trial.last_step == self.step


@pytest.mark.parametrize("zeros", [0, 32])
def test_reports_are_the_mean_fold_scores_after_each_epoch(zeros: int) -> None:
    """Also for features that a stack leaves out."""
    X, y = digits(300)
    X = np.pad(X, ((0, 0), (0, zeros)))
    own = search(pruner=PruneFrom(10), n_trials=2).fit(X, y)
    for trial in own.study_.trials:
        assert trial.state == TrialState.COMPLETE
        assert sorted(trial.intermediate_values) == [0, 1, 2]
        for epoch, value in trial.intermediate_values.items():
            alone = classifier(**trial.params).set_params(epochs=epoch + 1)
            expected = cross_val_score(alone, X, y, cv=2).mean()
            assert value == pytest.approx(expected, abs=1 / 150)
        assert trial.intermediate_values[2] == pytest.approx(trial.value)


def test_a_pruned_trial_keeps_its_scores_and_never_wins() -> None:
    X, y = digits(300)
    space = {"learning_rate": CategoricalDistribution([0.1])}
    own = search(space, pruner=PruneFrom(1), n_trials=3).fit(X, y)
    results = own.cv_results_
    assert results["trial_state"].tolist() == ["complete", "pruned", "pruned"]
    assert results["epochs_run"].tolist() == [3, 2, 2]
    assert [trial.state for trial in own.study_.trials] == [
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.PRUNED,
    ]
    assert results["rank_test_score"].tolist() == [1, 2, 2]
    assert own.best_index_ == 0
    shorter = cross_val_score(classifier(learning_rate=0.1, epochs=2), X, y, cv=2)
    np.testing.assert_allclose(results["split0_test_score"][1], shorter[0], atol=1 / 150)


def test_the_median_pruner_spares_epochs() -> None:
    X, y = digits(400)
    own = search(
        {"learning_rate": FloatDistribution(1e-6, 0.5, log=True)},
        classifier(epochs=12),
        pruner="median",
        sampler="random",
        n_trials=12,
    ).fit(X, y)
    states = own.cv_results_["trial_state"].tolist()
    assert "pruned" in states
    assert own.cv_results_["epochs_run"].sum() < 12 * 12
    assert states[own.best_index_] == "complete"


def test_a_tuner_space_in_a_pipeline() -> None:
    X, y = digits(200)
    pipeline = Pipeline([("scale", StandardScaler()), ("net", classifier())])
    own = search("sgd_decay", pipeline, n_trials=2)
    space = load_space("sgd_decay").override({"epochs": "2", "model.units": "16-8"})
    own = search(space, pipeline, n_trials=2).fit(X, y)
    params = own.cv_results_["params"][0]
    assert all(name.startswith("net__") for name in params)
    assert params["net__optimizer"] == "sgd"
    assert params["net__hidden_layer_sizes"] == (16, 8)
    assert own.best_estimator_["net"].plan_.model.units == (16, 8)
    assert set(own.study_.trials[0].params) == set(space.distributions())


def test_failing_trials_score_as_error_score_says() -> None:
    X, y = digits(200)
    space = {"learning_rate": CategoricalDistribution([0.01]), "momentum": FloatDistribution(0, 2)}
    own = search(space, n_trials=6, sampler="random")
    with pytest.warns(FitFailedWarning, match="momentum"):
        own.fit(X, y)
    states = own.cv_results_["trial_state"]
    failed = [trial.params["momentum"] > 1 for trial in own.study_.trials]
    assert any(failed)
    assert (states == "failed").tolist() == failed
    assert np.isnan(own.cv_results_["mean_test_score"][states == "failed"]).all()
    told = [trial.state == TrialState.FAIL for trial in own.study_.trials]
    assert told == failed
    space["momentum"] = FloatDistribution(1.5, 2)
    with pytest.raises(ValueError, match=r"All the 12 fits failed[\s\S]*momentum"):
        search(space, n_trials=6).fit(X, y)
    with pytest.raises(ValueError, match=r"^momentum"):
        search(space, error_score="raise").fit(X, y)


def test_a_stored_study_goes_on(tmp_path: Path) -> None:
    X, y = digits(200)
    url = f"sqlite:///{tmp_path}/studies.db"
    own = search(storage=url, study_name="digits", n_trials=2)
    own.fit(X, y)
    more = clone(own).fit(X, y)
    assert more.cv_results_["trial_number"].tolist() == [0, 1, 2, 3]
    assert more.cv_results_["params"][:2] == own.cv_results_["params"]
    assert more.best_score_ >= own.best_score_
    assert type(own.cv_results_["mean_test_score"][0]) is type(more.best_score_)
    loaded = optuna.load_study(study_name="digits", storage=url)
    assert len(loaded.trials) == 4
    assert len({str(trial.params) for trial in loaded.trials}) == 4


@pytest.mark.slow
def test_candidates_that_are_known_before_train_in_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = Stacks(monkeypatch)
    X, y = digits(300)
    values: dict[str, Any] = {
        "learning_rate": [0.01, 0.1],
        "initializer": ["he_normal", "zeros"],
        "epochs": [2, 3],
    }
    space = {name: CategoricalDistribution(own) for name, own in values.items()}
    ours = search(space, sampler="grid").fit(X, y)
    assert len(ours.cv_results_["params"]) == 4, "n_trials"
    ours.set_params(n_trials=20).fit(X, y)
    assert stacks.networks == [8, 1, 8, 1], "epochs share a training"
    stock = GridSearchCV(classifier(), values, cv=2).fit(X, y)
    assert ours.cv_results_["params"] == stock.cv_results_["params"]
    for name in ("mean_test_score", "split1_test_score"):
        np.testing.assert_allclose(ours.cv_results_[name], stock.cv_results_[name], atol=1 / 150)


def test_an_interrupted_training_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.search.checkpoints.writer.EVERY", 0.0)
    monkeypatch.setattr("tuner.search.checkpoints.writer.SHARE", 1e9)
    X, y = digits(200)
    scored: list[int] = []

    def score(estimator: Any, X: Any, y: Any) -> float:
        scored.append(estimator.n_iter_)
        if len(scored) == 7:  # the fourth epoch's first split
            raise KeyboardInterrupt
        return float((estimator.predict(X) == y).mean())

    def fitted(storage: str) -> StudySearchCV:
        space = {"learning_rate": FloatDistribution(0.01, 0.1)}
        return search(
            space,
            classifier(epochs=6),
            scoring=score,
            pruner=PruneFrom(10),
            n_trials=1,
            storage=f"sqlite:///{tmp_path}/{storage}.db",
            study_name="one",
        ).fit(X, y)

    with pytest.raises(KeyboardInterrupt):
        fitted("a")
    resumed, whole = fitted("a"), fitted("b")
    [trial], [other] = resumed.study_.trials, whole.study_.trials
    assert trial.system_attrs[records.RESUMED] == [3]
    assert trial.intermediate_values == other.intermediate_values
    assert trial.value == other.value
    assert trial.params == other.params


@pytest.mark.slow
def test_processes_give_the_same_results(tmp_path: Path) -> None:
    """Also of a scorer that only this file has, as notebooks have."""
    X, y = digits(200)

    def share(estimator: Any, X: Any, y: Any) -> float:
        return float((estimator.predict(X) == y).mean())

    settings: dict[str, Any] = {"sampler": "random", "scoring": share, "n_trials": 4}
    here, there = search(**settings).fit(X, y), search(**settings, n_jobs=2).fit(X, y)
    assert here.cv_results_["params"] == there.cv_results_["params"]
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(here.cv_results_[name], there.cv_results_[name])
    assert len(pickle.loads(pickle.dumps(there.study_)).trials) == 4
    space = {"momentum": FloatDistribution(1.5, 2)}
    with pytest.raises(RuntimeError, match="momentum"):
        search(space, n_jobs=2, error_score="raise").fit(X, y)


def test_other_estimators_are_fitted_by_themselves() -> None:
    X, y = digits(300)
    space = {"C": FloatDistribution(1e-3, 1.0, log=True)}
    cv = KFold(3, shuffle=True)
    own = search(space, LogisticRegression(), cv=cv, pruner="median", n_trials=3).fit(X, y)
    values = [trial.value for trial in own.study_.trials]
    np.testing.assert_allclose(values, own.cv_results_["mean_test_score"])
    assert own.cv_results_["trial_state"].tolist() == ["complete"] * 3
    assert own.best_params_["C"] == own.best_estimator_.C
    assert pickle.loads(pickle.dumps(own)).best_params_ == own.best_params_


def test_bad_arguments_are_refused() -> None:
    X, y = digits(100)
    with pytest.raises(ValueError, match="did you mean tpe"):
        search(sampler="tpee").fit(X, y)
    with pytest.raises(ValueError, match="did you mean median"):
        search(pruner="medium").fit(X, y)
    with pytest.raises(ValueError, match="needs finite steps"):
        search(sampler="grid").fit(X, y)
    with pytest.raises(ValueError, match="one of Optuna's distributions; 'epochs' has list"):
        search({"epochs": [1, 2]}).fit(X, y)
    with pytest.raises(ValueError, match="space must be"):
        search([1]).fit(X, y)
    with pytest.raises(ValueError, match="Invalid parameter 'rate'"):
        search({"rate": FloatDistribution(0, 1)}).fit(X, y)
    with pytest.raises(ValueError, match="'threshold' needs settings"):
        search(pruner="threshold").fit(X, y)
    with pytest.raises(ValueError, match=r"share a storage by its URL.*InMemoryStorage"):
        search(storage=optuna.storages.InMemoryStorage(), n_jobs=2).fit(X, y)
    with pytest.raises(ValueError, match="n_trials"):
        search(n_trials=0).fit(X, y)
