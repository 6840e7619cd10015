"""Stacked searches give the table that scikit-learn's own classes give, fit by fit."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, make_multilabel_classification
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    PredefinedSplit,
    RandomizedSearchCV,
    ShuffleSplit,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.sklearn_searches import Stacks, digits, same_results
from tuner.sklearn import (
    KerasMLPClassifier,
    KerasMLPRegressor,
    StackedGridSearchCV,
    StackedRandomizedSearchCV,
)

SCORING = ["accuracy", "neg_log_loss"]


def classifier(**params: Any) -> KerasMLPClassifier:
    settings = {"hidden_layer_sizes": (8,), "learning_rate": 0.01, "epochs": 2, "random_state": 0}
    return KerasMLPClassifier(**{**settings, **params})


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    return Stacks(monkeypatch)


def test_grid_of_initializers_batch_sizes_and_epochs(stacks: Stacks) -> None:
    X, y = digits(600)
    grid = {
        "initializer": ["glorot_uniform", "he_normal", "zeros"],
        "batch_size": [64, 128],
        "epochs": [1, 3],
    }
    settings: dict[str, Any] = {"cv": 3, "scoring": SCORING, "refit": "neg_log_loss"}
    ours = StackedGridSearchCV(classifier(dropout=0.1), grid, **settings).fit(X, y)
    # Epochs share a training: 3 initializers x 3 folds for each batch size; then the refit.
    assert stacks.networks == [9, 9, 1]
    assert stacks.epochs[:2] == [3, 3]
    stock = GridSearchCV(classifier(dropout=0.1), grid, **settings).fit(X, y)
    same_results(ours.cv_results_, stock.cv_results_, rows=200)
    assert ours.best_params_ == stock.best_params_
    np.testing.assert_allclose(
        ours.predict_proba(X[:20]), stock.predict_proba(X[:20]), rtol=1e-6, atol=1e-9
    )


@pytest.mark.slow
def test_grid_on_digits_in_full_doses(stacks: Stacks) -> None:
    X, y = digits()
    initializers = ["zeros", "uniform", "normal", "glorot_uniform", "glorot_normal"]
    grid = {
        "initializer": [*initializers, "he_uniform", "he_normal", "lecun_uniform"],
        "batch_size": [32, 64],
        "epochs": [5, 10, 20],
    }
    estimator = classifier(
        hidden_layer_sizes=(64, 64), dropout=0.1, optimizer="sgd", momentum=0.9, nesterov=True
    )
    settings: dict[str, Any] = {"cv": 5, "scoring": SCORING, "refit": "neg_log_loss"}
    ours = StackedGridSearchCV(estimator, grid, **settings).fit(X, y)
    assert stacks.networks == [20, 20, 20, 20, 1]
    stock = GridSearchCV(estimator, grid, **settings).fit(X, y)
    same_results(ours.cv_results_, stock.cv_results_, rows=359)
    assert ours.best_params_ == stock.best_params_


@pytest.mark.parametrize("weighted", [False, True])
def test_class_weights_of_a_grid_share_a_stack(stacks: Stacks, weighted: bool) -> None:
    X, y = digits(600)
    kept = (y > 2) | (np.arange(600) % 5 == 0)
    X, y = X[kept], y[kept]
    grid = {"class_weight": [None, "balanced", {0: 3.0, 7: 0.5}]}
    settings: dict[str, Any] = {"cv": 3, "scoring": SCORING, "refit": False}
    weight = np.linspace(0.1, 2.0, len(y)) if weighted else None
    ours = StackedGridSearchCV(classifier(), grid, **settings).fit(X, y, sample_weight=weight)
    assert stacks.networks == [9]
    stock = GridSearchCV(classifier(), grid, **settings).fit(X, y, sample_weight=weight)
    same_results(ours.cv_results_, stock.cv_results_, rows=150)
    assert len(set(ours.cv_results_["mean_test_neg_log_loss"])) == 3


LISTS = {"initializer": ["he_normal", "lecun_uniform"], "batch_size": [64, 128], "epochs": [1, 2]}
DISTRIBUTIONS = {
    "learning_rate": scipy.stats.loguniform(1e-3, 1e-1),
    "batch_size": scipy.stats.randint(50, 200),
    "dropout": scipy.stats.uniform(0.05, 0.3),
    "initializer": ["he_normal", "lecun_uniform"],
}


@pytest.mark.slow
@pytest.mark.parametrize("random_state", [0, 1, 7])
@pytest.mark.parametrize("distributions", [LISTS, DISTRIBUTIONS, [LISTS, DISTRIBUTIONS]])
def test_random_search(distributions: Any, random_state: int, stacks: Stacks) -> None:
    X, y = digits(600)
    settings: dict[str, Any] = {
        "n_iter": 4,
        "cv": 3,
        "scoring": SCORING,
        "refit": False,
        "random_state": random_state,
    }
    ours = StackedRandomizedSearchCV(classifier(), distributions, **settings).fit(X, y)
    assert sum(stacks.networks) <= 4 * 3
    assert stacks.networks
    trained = len(stacks.networks)
    stock = RandomizedSearchCV(classifier(), distributions, **settings).fit(X, y)
    assert len(stacks.networks) == trained + 4 * 3
    same_results(ours.cv_results_, stock.cv_results_, rows=200)


@pytest.mark.slow
def test_pipeline_with_the_transformer_varied_too(stacks: Stacks) -> None:
    X, y = digits(500)
    pipeline = Pipeline([("scale", StandardScaler()), ("pca", PCA(10)), ("net", classifier())])
    grid = {"pca__whiten": [True, False], "net__batch_size": [32, 64], "net__epochs": [1, 2]}
    settings: dict[str, Any] = {"cv": 3, "scoring": SCORING, "refit": "accuracy"}
    ours = StackedGridSearchCV(pipeline, grid, return_train_score=True, **settings).fit(X, y)
    # For each kind of components and batch size: one training for both epochs x 3 folds.
    assert stacks.networks == [3] * 4 + [1]
    stock = GridSearchCV(pipeline, grid, return_train_score=True, **settings).fit(X, y)
    same_results(ours.cv_results_, stock.cv_results_, rows=166)
    assert ours.best_estimator_["pca"].whiten == stock.best_params_["pca__whiten"]


def test_transformers_are_fitted_once_a_split(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []

    class Counting(StandardScaler):
        def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
            fits.append(len(X))
            return super().fit(X, y)

    X, y = digits(300)
    search = StackedGridSearchCV(
        make_pipeline(Counting(), classifier()),
        {"kerasmlpclassifier__learning_rate": [0.01, 0.1, 0.2]},
        cv=3,
        refit=False,
    )
    search.fit(X, y)
    assert fits == [200, 200, 200]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "data", "scoring"),
    [
        (classifier(), load_breast_cancer, ["accuracy", "roc_auc", "neg_brier_score"]),
        (KerasMLPRegressor((8,), epochs=3, random_state=1), load_diabetes, ["r2", "neg_max_error"]),
        (
            classifier(),
            lambda return_X_y: make_multilabel_classification(200, random_state=0),
            ["accuracy", "f1_macro"],
        ),
    ],
)
def test_other_tasks(estimator: Any, data: Any, scoring: list[str], stacks: Stacks) -> None:
    X, y = data(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    settings: dict[str, Any] = {"cv": 3, "scoring": scoring, "refit": scoring[0]}
    grid = {"learning_rate": [0.01, 0.05], "epochs": [2, 3]}
    ours = StackedGridSearchCV(estimator, grid, **settings).fit(X, y)
    assert stacks.networks == [6, 1]
    stock = GridSearchCV(estimator, grid, **settings).fit(X, y)
    same_results(ours.cv_results_, stock.cv_results_, rows=len(X) // 3, atol=1e-3)
    np.testing.assert_allclose(ours.predict(X[:9]), stock.predict(X[:9]), rtol=1e-5)


@pytest.mark.slow
def test_weights_groups_callables_and_predefined_splits(stacks: Stacks) -> None:
    X, y = digits(400)
    weight = np.linspace(0.1, 2.0, 400)
    grid = {"batch_size": [32, 64]}
    scorer = make_scorer(accuracy_score)
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"cv": 2, "scoring": scorer}, {"sample_weight": weight}),
        ({"cv": GroupKFold(3)}, {"groups": np.arange(400) % 7}),
        ({"cv": PredefinedSplit(np.arange(400) % 3 - 1), "scoring": "neg_log_loss"}, {}),
        ({"cv": ShuffleSplit(2, random_state=3), "return_train_score": True}, {}),
        ({"cv": [(np.arange(400) < 300, np.arange(400) >= 300)]}, {}),
        (
            {"cv": 2, "scoring": lambda own, X, y: {"a": own.score(X, y), "b": 1.0}, "refit": "a"},
            {},
        ),
    ]
    for settings, params in cases:
        before = len(stacks.networks)
        ours = StackedGridSearchCV(classifier(), grid, **settings).fit(X, y, **params)
        assert len(stacks.networks) == before + 3
        stock = GridSearchCV(classifier(), grid, **settings).fit(X, y, **params)
        same_results(ours.cv_results_, stock.cv_results_, rows=100)


def test_metadata_routing(stacks: Stacks) -> None:
    X, y = digits(300)
    weight = np.linspace(0.1, 2.0, 300)
    with sklearn.config_context(enable_metadata_routing=True):
        own = classifier().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), own)
        grid = {"kerasmlpclassifier__learning_rate": [0.01, 0.1]}
        ours = StackedGridSearchCV(pipeline, grid, cv=3).fit(X, y, sample_weight=weight)
        assert stacks.networks == [6, 1]
        stock = GridSearchCV(pipeline, grid, cv=3).fit(X, y, sample_weight=weight)
    same_results(ours.cv_results_, stock.cv_results_, rows=100, atol=1.0 / 40)


def test_patience_and_plateau_hold_out_the_rows_that_fit_holds_out(stacks: Stacks) -> None:
    X, y = digits(500)
    grid = [
        {"patience": [1], "epochs": [6], "learning_rate": [0.01, 0.3]},
        {"schedule": ["plateau"], "plateau_patience": [1], "epochs": [3, 5]},
        {"epochs": [2]},
    ]
    settings: dict[str, Any] = {"cv": 2, "scoring": SCORING, "refit": False}
    ours = StackedGridSearchCV(classifier(), grid, **settings).fit(X, y)
    # Two with patience and one plateau, whose epochs share a training; then the one without.
    assert stacks.networks == [6, 2]
    stock = GridSearchCV(classifier(), grid, **settings).fit(X, y)
    same_results(ours.cv_results_, stock.cv_results_, rows=250)


def test_random_state_none_draws_as_the_stock_class_draws() -> None:
    X, y = digits(300)
    grid = {"learning_rate": [0.01, 0.1], "epochs": [1, 2]}
    results = []
    for search in (StackedGridSearchCV, GridSearchCV):
        np.random.seed(5)
        own = search(classifier(random_state=None), grid, cv=3, scoring=SCORING, refit=False)
        results.append(own.fit(X, y).cv_results_)
    same_results(*results, rows=100)  # type: ignore[misc]


def test_a_split_that_lacks_a_class_is_fitted_by_the_estimator(stacks: Stacks) -> None:
    X, y = digits(200)
    rare = np.where(y == 3)[0]
    test_fold = np.arange(200) % 2
    test_fold[rare] = 0
    settings: dict[str, Any] = {"cv": PredefinedSplit(test_fold), "refit": False}
    grid = {"learning_rate": [0.01, 0.1]}
    ours = StackedGridSearchCV(classifier(), grid, **settings).fit(X, y)
    assert sorted(stacks.networks) == [1, 1, 2]
    stock = GridSearchCV(classifier(), grid, **settings).fit(X, y)
    same_results(ours.cv_results_, stock.cv_results_, rows=90)


def test_a_step_of_another_kind_is_fitted_as_scikit_learn_does(stacks: Stacks) -> None:
    X, y = digits(300)
    pipeline = Pipeline([("scale", StandardScaler()), ("net", classifier())])
    grid = [{"net__epochs": [1, 2]}, {"net": [LogisticRegression(C=0.1)]}]
    ours = StackedGridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert stacks.networks[0] == 3
    stock = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    same_results(ours.cv_results_, stock.cv_results_, rows=100)


def test_frames_keep_their_names_and_bytes_their_type(stacks: Stacks) -> None:
    X, y = digits(300)
    frame = pd.DataFrame(X).add_prefix("pixel")
    search = StackedGridSearchCV(classifier(), {"epochs": [1]}, cv=2).fit(frame, y)
    assert search.feature_names_in_[3] == "pixel3"
    assert search.best_estimator_.n_features_in_ == 64
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.predict(frame)
    as_bytes = StackedGridSearchCV(classifier(), {"epochs": [1]}, cv=2, refit=False)
    as_bytes.fit((X * 16).astype(np.uint8), y)
    assert stacks.networks == [2, 1, 2]
    stock = GridSearchCV(classifier(), {"epochs": [1]}, cv=2, refit=False)
    stock.fit((X * 16).astype(np.uint8), y)
    same_results(as_bytes.cv_results_, stock.cv_results_, rows=150)


def test_the_search_keeps_nothing_of_its_run_and_pickles() -> None:
    X, y = digits(300)
    search = StackedGridSearchCV(classifier(), {"epochs": [1, 2]}, cv=2).fit(X, y)
    stock = GridSearchCV(classifier(), {"epochs": [1, 2]}, cv=2).fit(X, y)
    assert set(vars(search)) == set(vars(stock))
    loaded = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(loaded.predict(X), search.predict(X))
    assert clone(search).get_params(deep=False).keys() == stock.get_params(deep=False).keys()
    fit_times = search.cv_results_["mean_fit_time"]
    assert 0 < fit_times[0] < fit_times[1]  # one and two epochs' share


def test_an_estimator_inside_another_is_fitted_as_scikit_learn_does(stacks: Stacks) -> None:
    X, y = load_diabetes(return_X_y=True)
    inner = KerasMLPRegressor((4,), epochs=1, random_state=0)
    wrapped = TransformedTargetRegressor(inner, transformer=StandardScaler())
    search = StackedGridSearchCV(wrapped, {"regressor__epochs": [1, 2]}, cv=2).fit(X, y)
    assert stacks.networks == [1] * 5
    stock = GridSearchCV(wrapped, {"regressor__epochs": [1, 2]}, cv=2).fit(X, y)
    same_results(search.cv_results_, stock.cv_results_, rows=221)
