"""What the estimators train: what Keras trains; going on; held-out rows; seeds."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

from tuner.planning.seeds import network_seed
from tuner.sklearn import KerasMLPClassifier, KerasMLPRegressor
from tuner.sklearn.estimators.errors import DivergedError
from tuner.sklearn.estimators.targets import class_targets
from tuner.sklearn.estimators.training import fold_of
from tuner.training.initial_weights import network_weights

IRIS = load_iris()
X = StandardScaler().fit_transform(IRIS.data)
DIABETES = load_diabetes()
SMALL: dict[str, Any] = {"hidden_layer_sizes": (8,), "random_state": 0, "learning_rate": 0.01}


def plain_keras(estimator: Any, out: str, loss: str) -> keras.Sequential:
    """Stock Keras with the estimator's first weights, compiled with SGD and momentum."""
    model = estimator.plan_.model
    layers = [keras.layers.Dense(units, activation=model.activation) for units in model.units]
    network = keras.Sequential(
        [keras.Input((model.features,)), *layers, keras.layers.Dense(model.outputs, out)]
    )
    network.set_weights(network_weights(model, network_seed(estimator.random_state, 0, 0)))
    network.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss=loss)
    return network


@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_trains_what_stock_keras_trains(weighted: bool) -> None:
    weight = np.linspace(0.1, 2.0, len(X)) if weighted else None
    ours = KerasMLPClassifier(
        (8, 6), optimizer="sgd", learning_rate=0.1, momentum=0.9, epochs=6,
        batch_size=len(X), random_state=3,
    ).fit(X, IRIS.target, sample_weight=weight)  # fmt: skip
    theirs = plain_keras(ours, "softmax", "sparse_categorical_crossentropy")
    history = theirs.fit(
        X, IRIS.target, batch_size=len(X), epochs=6, sample_weight=weight, verbose=0
    )
    for own, other in zip(ours.weights_, theirs.get_weights(), strict=True):
        np.testing.assert_allclose(own, other, atol=2e-6)
    if not weighted:  # Keras shows a weighted loss over the sum of weights
        np.testing.assert_allclose(ours.loss_curve_, history.history["loss"], rtol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict(X, verbose=0), atol=1e-6)


def test_regressor_trains_what_stock_keras_trains_on_standardised_targets() -> None:
    x, y = DIABETES.data * 20, DIABETES.target
    ours = KerasMLPRegressor(
        (8,), optimizer="sgd", learning_rate=0.1, momentum=0.9, epochs=6,
        batch_size=len(x), random_state=3,
    ).fit(x, y)  # fmt: skip
    theirs = plain_keras(ours, "linear", "mean_squared_error")
    theirs.fit(x, (y - y.mean()) / y.std(), batch_size=len(x), epochs=6, verbose=0)
    expected = theirs.predict(x, verbose=0)[:, 0] * y.std() + y.mean()
    np.testing.assert_allclose(ours.predict(x), expected, rtol=1e-5)


def test_learns_digits_and_diabetes() -> None:
    x, y = load_digits(return_X_y=True)
    x = x / 16
    digits = KerasMLPClassifier(random_state=0).fit(x[:1200], y[:1200])
    assert digits.score(x[1200:], y[1200:]) > 0.9
    values = KerasMLPRegressor((16,), random_state=0, learning_rate=0.01)
    assert values.fit(DIABETES.data * 20, DIABETES.target).score(
        DIABETES.data * 20, DIABETES.target
    ) > 0.5  # fmt: skip


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"schedule": "time", "decay": 0.1},
        pytest.param(
            {"schedule": "cosine", "batch_norm": True, "optimizer": "nadam", "dropout": 0.2},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"dropout": 0.3, "dropout_schedule": "cosine", "weight_decay": 0.1}
            | {"weight_decay_schedule": "coslog4"},
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.parametrize("kind", [KerasMLPClassifier, KerasMLPRegressor])
def test_partial_fits_are_the_epochs_of_a_fit(kind: Any, extra: dict[str, Any]) -> None:
    whole = kind(**SMALL, epochs=3, **extra).fit(X, IRIS.target)
    parts = kind(**SMALL, epochs=3, **extra)
    for _ in range(3):
        first = {"classes": [0, 1, 2]} if kind is KerasMLPClassifier else {}
        parts.partial_fit(X, IRIS.target, **first)
    for own, other in zip(parts.weights_, whole.weights_, strict=True):
        np.testing.assert_array_equal(own, other)
    assert parts.history_ == whole.history_


@pytest.mark.parametrize("kind", [KerasMLPClassifier, KerasMLPRegressor])
def test_a_warm_start_goes_on(kind: Any) -> None:
    settings = {**SMALL, "momentum": 0.9, "optimizer": "sgd", "dropout": 0.3}
    whole = kind(**settings, epochs=4).fit(X, IRIS.target)
    parts = kind(**settings, epochs=2, warm_start=True)
    parts.fit(X, IRIS.target).fit(X, IRIS.target)
    for own, other in zip(parts.weights_, whole.weights_, strict=True):
        np.testing.assert_array_equal(own, other)
    assert parts.n_iter_ == 4
    assert parts.loss_curve_ == whole.loss_curve_
    anew = parts.set_params(warm_start=False).fit(X, IRIS.target)
    assert anew.n_iter_ == 2


def test_a_warm_start_needs_the_network_that_it_began_with() -> None:
    model = KerasMLPClassifier(**SMALL, epochs=1, warm_start=True).fit(X, IRIS.target)
    with pytest.raises(ValueError, match=r"units was \(8,\), got \(4,\)"):
        model.set_params(hidden_layer_sizes=(4,)).fit(X, IRIS.target)
    with pytest.raises(ValueError, match="optimizer was 'adam', got 'sgd'"):
        model.set_params(hidden_layer_sizes=(8,), optimizer="sgd").fit(X, IRIS.target)
    with pytest.raises(ValueError, match=r"embedding was None, got \w+\(name='pbld'.*units=4\)"):
        model.set_params(optimizer="adam", embedding="pbld").fit(X, IRIS.target)
    with pytest.raises(ValueError, match="goes on with the classes"):
        model.set_params(embedding="none").fit(X[:100], IRIS.target[:100])
    with pytest.raises(ValueError, match="has 3 features"):
        model.fit(X[:, :3], IRIS.target)


def test_later_rows_do_not_move_a_regressor_s_units() -> None:
    model = KerasMLPRegressor(**SMALL | {"learning_rate": 1e-9})
    model.partial_fit(X, IRIS.target)
    before = model.predict(X)
    model.partial_fit(X[:50], np.linspace(1e3, 2e3, 50))
    np.testing.assert_allclose(model.predict(X), before, atol=1e-5)


def test_partial_fit_takes_part_of_the_classes_and_no_other() -> None:
    model = KerasMLPClassifier(**SMALL)
    with pytest.raises(ValueError, match="classes must be passed"):
        model.partial_fit(X, IRIS.target)
    model.partial_fit(X[:60], IRIS.target[:60], classes=[0, 1, 2])
    assert model.predict_proba(X).shape == (150, 3)
    with pytest.raises(ValueError, match=r"labels of classes=\[0, 1, 2\]; got \[5\]"):
        model.partial_fit(X, np.full(150, 5))
    with pytest.raises(ValueError, match="holds no rows out"):
        model.set_params(patience=2).partial_fit(X, IRIS.target)


def test_patience_keeps_the_best_weights_on_held_out_rows() -> None:
    model = KerasMLPClassifier(
        (32,), learning_rate=0.3, epochs=60, patience=3, validation_fraction=0.3, random_state=1
    )
    model.fit(X, IRIS.target)
    losses = model.history_["val_loss"]
    assert model.n_iter_ == len(losses) < 60
    assert np.argmin(losses) == len(losses) - 4
    fold = fold_of(model.plan_, class_targets(IRIS.target), 0.3, network_seed(1, 0, 0))
    assert np.bincount(IRIS.target[fold.validation]).tolist() == [15, 15, 15]
    assert not np.isin(fold.train, fold.validation).any()
    held = log_loss(IRIS.target[fold.validation], model.predict_proba(X[fold.validation]))
    assert held == pytest.approx(min(losses), rel=1e-4)
    model.set_params(patience=None, restore_best_weights=True, epochs=len(losses) + 1)
    model.fit(X, IRIS.target)
    assert model.history_["val_loss"][:-1] == losses
    held_out = model.predict_proba(X[fold.validation])
    assert log_loss(IRIS.target[fold.validation], held_out) == pytest.approx(min(losses), rel=1e-4)
    with pytest.raises(ValueError, match="restore_best_weights"):
        model.partial_fit(X, IRIS.target)
    model = KerasMLPClassifier(**SMALL, weight_averaging="swa")
    with pytest.raises(ValueError, match="weight_averaging='swa'"):
        model.partial_fit(X, IRIS.target, classes=[0, 1, 2])
    model.set_params(ema_momentum=0.5)
    with pytest.raises(ValueError, match="weight_averaging 'swa' has no setting ema_momentum"):
        model.fit(X, IRIS.target)


def test_a_plateau_watches_held_out_rows() -> None:
    model = KerasMLPRegressor(
        **SMALL | {"learning_rate": 0.3}, schedule="plateau", plateau_patience=1, epochs=15
    )
    rates = model.fit(X, IRIS.target).history_["learning_rate"]
    assert len(model.history_["val_loss"]) == 15
    assert rates[-1] < rates[0]


def test_without_patience_nothing_is_held_out() -> None:
    model = KerasMLPClassifier(**SMALL, epochs=1, validation_fraction=7).fit(X, IRIS.target)
    assert set(model.history_) == {"loss", "learning_rate"}


def test_an_integer_gives_the_same_bits_at_every_fit() -> None:
    model = KerasMLPClassifier(**SMALL, epochs=2, dropout=0.5)
    first = model.fit(X, IRIS.target).predict_proba(X)
    np.testing.assert_array_equal(first, model.fit(X, IRIS.target).predict_proba(X))
    other = model.set_params(random_state=1).fit(X, IRIS.target).predict_proba(X)
    assert not np.array_equal(first, other)


def test_none_draws_from_numpy_and_a_random_state_from_itself() -> None:
    def fit(random_state: Any) -> Any:
        model = KerasMLPClassifier(**SMALL | {"random_state": random_state}, epochs=1)
        return model.fit(X, IRIS.target).weights_[0]

    np.random.seed(5)
    first, second = fit(None), fit(None)
    assert not np.array_equal(first, second)
    np.random.seed(5)
    np.testing.assert_array_equal(first, fit(None))
    own = np.random.RandomState(5)
    np.testing.assert_array_equal(first, fit(own))
    np.testing.assert_array_equal(second, fit(own))


def test_a_diverged_training_is_an_error() -> None:
    model = KerasMLPRegressor(**SMALL | {"learning_rate": 1e30}, optimizer="sgd")
    with pytest.raises(DivergedError, match="not finite after epoch 1 of 20"):
        model.fit(X, IRIS.target)


def test_bytes_train_as_the_numbers_they_are() -> None:
    rows = np.random.default_rng(0).integers(0, 255, (60, 4))
    y = np.arange(60) % 3
    as_bytes = KerasMLPClassifier(**SMALL, epochs=2).fit(rows.astype(np.uint8), y)
    as_numbers = KerasMLPClassifier(**SMALL, epochs=2).fit(rows.astype(float), y)
    np.testing.assert_array_equal(as_bytes.predict_proba(rows), as_numbers.predict_proba(rows))
    assert as_bytes.predict(rows.astype(np.uint8)).shape == (60,)


#: 50 of the first class, 12 of the second, 5 of the third.
FEW = np.r_[0:50, 50:62, 100:105]


@pytest.mark.slow
@pytest.mark.parametrize("sample_weight", [None, np.linspace(0.1, 2.0, len(FEW))])
@pytest.mark.parametrize("wanted", ["balanced", {"setosa": 0.5, "virginica": 4.0}])
@pytest.mark.parametrize("names", [3, 2])
def test_class_weights_are_sample_weights_by_class(
    names: int, wanted: Any, sample_weight: np.ndarray | None
) -> None:
    x, y = X[FEW], IRIS.target_names[IRIS.target[FEW]]
    if names == 2:
        y = np.where(y == "versicolor", "setosa", y)
    by_class = compute_class_weight(
        wanted, classes=np.unique(y), y=y, sample_weight=sample_weight
    )  # fmt: skip
    factors = dict(zip(np.unique(y), by_class, strict=True))
    weight = np.array([factors[name] for name in y]) * (
        1 if sample_weight is None else sample_weight
    )
    ours = KerasMLPClassifier(**SMALL, epochs=3, class_weight=wanted)
    ours.fit(x, y, sample_weight=sample_weight)
    theirs = KerasMLPClassifier(**SMALL, epochs=3).fit(x, y, sample_weight=weight)
    plain = KerasMLPClassifier(**SMALL, epochs=3).fit(x, y, sample_weight=sample_weight)
    assert np.abs(ours.coefs_[0] - plain.coefs_[0]).max() > 1e-3
    for own, other in zip(ours.weights_, theirs.weights_, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-6)


def test_rows_held_out_neither_weigh_nor_are_weighed() -> None:
    x, y = X[FEW], IRIS.target[FEW]
    settings = {**SMALL, "epochs": 3, "patience": 9, "validation_fraction": 0.3}
    ours = KerasMLPClassifier(**settings, class_weight="balanced").fit(x, y)
    fold = fold_of(ours.plan_, class_targets(y), 0.3, network_seed(0, 0, 0))
    weights = compute_class_weight("balanced", classes=np.arange(3), y=y[fold.train])
    theirs = KerasMLPClassifier(**settings, class_weight=dict(enumerate(weights))).fit(x, y)
    for own, other in zip(ours.weights_, theirs.weights_, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-6)
    held_out = log_loss(y[fold.validation], ours.predict_proba(x[fold.validation]))
    assert min(ours.history_["val_loss"]) == pytest.approx(held_out, rel=1e-4)


def test_partial_fit_takes_weights_of_labels_but_counts_none() -> None:
    labels = KerasMLPClassifier(**SMALL, class_weight={0: 2.0, 7: 1.0})
    labels.partial_fit(X[:120], np.where(IRIS.target[:120], 7, 0), classes=[0, 7])
    assert labels.plan_.loss.class_weight == (2.0, 1.0)
    with pytest.raises(ValueError, match=r"partial_fit sees .* got class_weight='balanced'"):
        KerasMLPClassifier(class_weight="balanced").partial_fit(X, IRIS.target, classes=[0, 1, 2])
