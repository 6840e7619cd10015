"""A fitted estimator: its answers, its attributes, and its place among scikit-learn's tools."""

from __future__ import annotations

import pickle
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tuner.planning.plan import EmbeddingPlan, ModelPlan
from tuner.sklearn import KerasMLPClassifier, KerasMLPRegressor
from tuner.sklearn.estimators.forward import activate, forward
from tuner.spaces.catalogue import ACTIVATIONS
from tuner.training.initial_weights import network_weights

IRIS = load_iris()
X, Y = StandardScaler().fit_transform(IRIS.data), IRIS.target
NAMES = IRIS.target_names[Y]
SMALL: dict[str, Any] = {
    "hidden_layer_sizes": (8,),
    "random_state": 0,
    "learning_rate": 0.02,
    "epochs": 8,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_keras_s(name: str) -> None:
    import keras

    values = np.random.default_rng(0).normal(0, 3, (50, 6))
    expected = keras.activations.get(name)(keras.ops.convert_to_tensor(values, "float32"))
    np.testing.assert_allclose(activate(name, values), np.asarray(expected), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    "parts",
    [
        {"units": (9, 7), "batch_norm": True},
        {"units": (9, 9), "skip_connections": True, "embedding": ("plr", 0.5, 5, 3, (0, 2, 5))},
        {"units": (9,), "embedding": ("pbld", 0.5, 5, 3, (1, 2))},
    ],
    ids=["batch_norm", "plr", "pbld"],
)
def test_the_forward_pass_is_keras_s_with_all_parts_and_many_rows(parts: dict[str, Any]) -> None:
    from tuner.export.sequential import build_sequential

    if "embedding" in parts:
        parts = {**parts, "embedding": EmbeddingPlan(*parts["embedding"])}
    plan = ModelPlan(6, 4, activation="selu", **parts)
    rng = np.random.default_rng(0)
    weights = [w + rng.uniform(0, 0.5, w.shape).astype("f4") for w in network_weights(plan, 1)]
    x = rng.normal(size=(5000, 6)).astype("f4")
    expected = build_sequential(plan, weights, task="regression").predict(x, verbose=0)
    np.testing.assert_allclose(forward(plan, weights, x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 95, 96, 97, 500])
def test_a_row_s_answer_does_not_depend_on_the_rows_beside_it(rows: int) -> None:
    plan = ModelPlan(784, 10, (64, 33), activation="tanh")
    weights = network_weights(plan, 1)
    x = np.random.default_rng(0).random((500, 784), dtype=np.float32)
    whole = forward(plan, weights, x)
    np.testing.assert_array_equal(forward(plan, weights, x[:rows]), whole[:rows])
    np.testing.assert_array_equal(forward(plan, weights, x[::-1][:rows]), whole[::-1][:rows])
    np.testing.assert_array_equal(forward(plan, weights, x[:0]), whole[:0])


def test_the_keras_model_answers_as_the_classifier() -> None:
    three = KerasMLPClassifier(**SMALL, batch_norm=True).fit(X, Y)
    np.testing.assert_allclose(
        three.model_.predict(X, verbose=0), three.predict_proba(X), atol=1e-6
    )
    two = KerasMLPClassifier(**SMALL).fit(X[:100], NAMES[:100])
    second = two.model_.predict(X, verbose=0)[:, 0]
    np.testing.assert_allclose(second, two.predict_proba(X)[:, 1], atol=1e-6)
    assert type(two.model_).__module__.startswith("keras.")
    assert two.model_ is two.model_


def test_the_keras_model_answers_as_the_regressor_in_its_units() -> None:
    y = np.stack([Y * 100.0 + 7, X[:, 0]], axis=1)
    model = KerasMLPRegressor(**SMALL).fit(X, y)
    assert model.predict(X).shape == (150, 2)
    np.testing.assert_allclose(model.model_.predict(X, verbose=0), model.predict(X), rtol=1e-4)
    assert model.score(X, y) > 0.5


def test_labels_may_be_text() -> None:
    model = KerasMLPClassifier(**SMALL).fit(X, NAMES)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(X, NAMES) > 0.9
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[probabilities.argmax(axis=1)])
    np.testing.assert_array_equal(model.predict_log_proba(X), np.log(probabilities))


def test_rows_may_have_several_labels() -> None:
    x, y = make_multilabel_classification(120, 6, n_classes=3, random_state=0)
    x = StandardScaler().fit_transform(x)
    model = KerasMLPClassifier(**SMALL).fit(x, y)
    assert model.out_activation_ == "sigmoid"
    assert model.predict_proba(x).shape == (120, 3)
    assert (model.predict(x) == y).mean() > 0.7
    np.testing.assert_array_equal(model.predict(x), model.predict_proba(x) > 0.5)
    same = KerasMLPClassifier(**SMALL).fit(csr_array(x), csr_array(y))
    np.testing.assert_array_equal(same.predict_proba(csr_array(x)), model.predict_proba(x))


def test_attributes_are_those_of_scikit_learn_s_mlps() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = KerasMLPClassifier(**SMALL | {"hidden_layer_sizes": (8, 5)}, batch_norm=True)
    model.fit(frame, Y)
    assert [c.shape for c in model.coefs_] == [(4, 8), (8, 5), (5, 3)]
    assert [b.shape for b in model.intercepts_] == [(8,), (5,), (3,)]
    assert model.feature_names_in_.tolist() == list("abcd")
    assert (model.n_layers_, model.n_outputs_, model.out_activation_) == (4, 3, "softmax")
    assert len(model.loss_curve_) == model.n_iter_ == 8
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_kernels_and_biases_are_the_network() -> None:
    model = KerasMLPRegressor(**SMALL).fit(X, Y)
    hidden = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0)
    sums = (hidden @ model.coefs_[1] + model.intercepts_[1])[:, 0]
    np.testing.assert_allclose(sums * Y.std() + Y.mean(), model.predict(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [KerasMLPClassifier, KerasMLPRegressor])
def test_unfitted_estimators_say_so(kind: Any) -> None:
    for name in ("model_", "coefs_", "loss_curve_", "n_iter_", "n_layers_", "out_activation_"):
        assert not hasattr(kind(), name)
    with pytest.raises(NotFittedError):
        kind().predict(X)


@pytest.mark.parametrize("way", ["pickle", "joblib"])
def test_pickles_with_or_without_its_keras_model(way: str) -> None:
    model = KerasMLPClassifier(**SMALL).fit(X, Y)
    assert model.model_ is not None
    if way == "pickle":
        back = pickle.loads(pickle.dumps(model))
    else:
        file = BytesIO()
        joblib.dump(model, file)
        back = joblib.load(file)
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    np.testing.assert_allclose(back.model_.predict(X, verbose=0), model.predict_proba(X), atol=1e-6)
    went_on = back.partial_fit(X, Y)
    np.testing.assert_array_equal(went_on.weights_[0], model.partial_fit(X, Y).weights_[0])


@pytest.mark.slow
def test_importing_making_and_predicting_cost_no_tensorflow(tmp_path: Path) -> None:
    model = KerasMLPClassifier(**SMALL).fit(X, Y)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "x.npy", X)
    code = (
        "import pickle, sys, numpy as np, tuner.sklearn\n"
        "assert 'sklearn' not in sys.modules\n"
        "tuner.sklearn.KerasMLPClassifier(), tuner.sklearn.KerasMLPRegressor()\n"
        "model = pickle.load(open('model.pickle', 'rb'))\n"
        "np.save('p.npy', model.predict_proba(np.load('x.npy')))\n"
        "print([m for m in ('tensorflow', 'keras', 'optuna') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), model.predict_proba(X))


def test_a_clone_is_unfitted_and_trains_alike() -> None:
    model = KerasMLPClassifier(**SMALL).fit(X, Y)
    other = clone(model)
    assert not hasattr(other, "weights_")
    np.testing.assert_array_equal(other.fit(X, Y).weights_[0], model.weights_[0])


def test_a_pipeline_cross_validates() -> None:
    pipeline = make_pipeline(StandardScaler(), KerasMLPClassifier(**SMALL))
    assert cross_val_score(pipeline, IRIS.data, NAMES, cv=3).mean() > 0.8
    categories = make_pipeline(OneHotEncoder(), KerasMLPClassifier(**SMALL))
    assert categories.fit(NAMES[:, None], Y).score(NAMES[:, None], Y) == 1.0


def test_a_grid_search_searches_and_scores_what_fails_as_asked() -> None:
    grid = {"initializer": ["he_normal", "zeros"], "dropout": [0.0, 1.5]}
    search = GridSearchCV(KerasMLPClassifier(**SMALL), grid, cv=3, error_score=-1.0)
    with pytest.warns(
        FitFailedWarning, match=r"dropout must be a number at least 0, below 1; got 1.5"
    ):
        search.fit(X, Y)
    assert search.best_params_ == {"dropout": 0.0, "initializer": "he_normal"}
    assert search.cv_results_["mean_test_score"][2:].tolist() == [-1.0, -1.0]


def test_sample_weights_are_routed() -> None:
    weight = np.where(Y == 0, 5.0, 0.1)
    with sklearn.config_context(enable_metadata_routing=True):
        model = KerasMLPClassifier(**SMALL).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model)
        routed = cross_validate(
            pipeline, X, Y, cv=3, params={"sample_weight": weight}, return_estimator=True
        )
    train, _ = next(StratifiedKFold(3).split(X, Y))
    rows = StandardScaler().fit_transform(X[train])
    direct = KerasMLPClassifier(**SMALL).fit(rows, Y[train], sample_weight=weight[train])
    own = routed["estimator"][0][-1]
    np.testing.assert_array_equal(own.weights_[0], direct.weights_[0])


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(150, -1.0), "must not be negative; got -1"),
        (np.zeros(150), r"(?i)weights? .*zero"),
        (np.where(Y == 1, 1.0, 0.0), "at least 2 classes whose sample_weight is above 0"),
        (np.ones(3), "sample_weight"),
    ],
)
def test_bad_weights_are_refused(weight: Any, message: str) -> None:
    fitted = KerasMLPClassifier(**SMALL).fit(X, Y)
    for model in (KerasMLPClassifier(**SMALL), fitted):
        with pytest.raises(ValueError, match=message):
            model.fit(X, Y, sample_weight=weight)


def test_verbose_prints_a_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    KerasMLPClassifier(**SMALL | {"epochs": 2}, verbose=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    assert "val_loss" not in lines[0]
    KerasMLPClassifier(**SMALL, patience=20, verbose=True).fit(X, Y)
    assert "val_loss" in capsys.readouterr().out


@pytest.mark.slow
def test_processes_of_joblib_train_the_same_bits() -> None:
    alone = cross_validate(KerasMLPClassifier(**SMALL), X, Y, cv=3, return_estimator=True)
    apart = cross_validate(KerasMLPClassifier(**SMALL), X, Y, cv=3, return_estimator=True, n_jobs=2)
    for own, other in zip(alone["estimator"], apart["estimator"], strict=True):
        np.testing.assert_array_equal(own.weights_[0], other.weights_[0])
