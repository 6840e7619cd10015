"""A user's own networks, side by side in one graph, against plain Keras fold by fold."""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.support.own_networks import convolutional, digits, fitted, ragged_folds
from tuner.data.dataset import Dataset
from tuner.errors import PlanError
from tuner.planning import network_seed
from tuner.training.callbacks import EpochCallback
from tuner.training.own import OwnTrainer
from tuner.training.own.form import form_of
from tuner.training.own.network import built_network
from tuner.training.own.plan import plan_own
from tuner.training.state import SavedState, from_file, to_bytes

TRAINING: dict[str, Any] = {"epochs": 2, "batch_size": 32}
ADAM = {"optimizer": lambda: keras.optimizers.Adam(0.01)}
RATE: dict[str, Any] = {"optimizer": "adam", "optimizer.learning_rate": 0.01}
SPARSE = {"loss": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
FOLDS = ragged_folds()
SEEDS = [network_seed(7, 0, fold) for fold in range(3)]
layers = keras.layers


def train(build: Any, data: Dataset, params: dict[str, Any], **settings: Any) -> Any:
    trainer = OwnTrainer(build, data, FOLDS, scaling="none", **settings)
    [scores] = trainer.train([trainer.plan(params)], [SEEDS], weights=True)
    return scores


def check(
    build: Any, data: Dataset, y: Any, params: dict[str, Any], scores: Any, **compiled: Any
) -> list[keras.Model]:
    """Each fold's weights and losses are those of Keras's `fit`; its models. `y` are
    targets, or a list of each fold's."""
    x = (data.x * np.float32(data.byte_scale)).astype(np.float32)
    models = []
    for number, (fold, seed) in enumerate(zip(FOLDS, SEEDS, strict=True)):
        targets = y[number] if isinstance(y, list) else y
        row = build(params).input_shape[1:]
        model, history = fitted(
            build, params, seed, x.reshape(-1, *row), targets, fold, epochs=params["epochs"],
            batch_size=params["batch_size"], **compiled,
        )  # fmt: skip
        for ours, theirs in zip(scores.weights[number], model.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
        for curves, prefix in ((scores.train, ""), (scores.validation, "val_")):
            theirs = history[f"{prefix}loss"]
            np.testing.assert_allclose(curves["loss"][:, number], theirs, rtol=1e-5)
        models.append(model)
    return models


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_folds_are_those_of_keras_with_all_that_layers_remember(compiled: bool) -> None:
    """Dropout, batch normalization, a penalty, last batches of 1 and 15 rows."""
    data, own = digits(), {} if compiled else {**ADAM, **SPARSE}
    params = {**TRAINING, **RATE, "compiled": compiled}
    scores = train(convolutional, data, params)
    models = check(convolutional, data, data.y, params, scores, **own)
    for number, (model, fold) in enumerate(zip(models, FOLDS, strict=True)):
        x = data.x[fold.validation].reshape(-1, 8, 8, 1) / np.float32(16)
        right = np.argmax(model(x, training=False), 1) == data.y[fold.validation]
        assert scores.validation["accuracy"][-1, number] == pytest.approx(right.mean())
    rates = [0.01] * 2
    if compiled:
        schedule = keras.optimizers.schedules.CosineDecay(0.01, 8)
        rates = [float(schedule(step)) for step in (1, 3)]  # the first fold's
    np.testing.assert_allclose(scores.learning_rate[:, 0], rates, rtol=1e-6)
    assert scores.status == ("completed",) * 3


def perceptron(last: str, units: int, **compiled: Any) -> Any:
    def build(params: dict[str, Any]) -> keras.Model:
        inputs = keras.Input((64,))
        hidden = layers.Dense(6, "relu")(inputs)
        model = keras.Model(inputs, layers.Dense(units, last)(hidden))
        if compiled:
            model.compile(keras.optimizers.Adam(0.01), **compiled)
        return model

    return build


@pytest.mark.slow
def test_probabilities_and_logits_are_told_apart() -> None:
    """A loss on one-hot rows, of a softmax; a loss of ours, on logits: of the same network."""
    data, one_hot = digits(), np.eye(10, dtype=np.float32)[digits().y]
    softmax = perceptron("softmax", 10, loss="categorical_crossentropy")
    ours = dict.fromkeys(("objective",), "log_loss")
    scores = train(softmax, data, {**TRAINING}, metrics=("accuracy", "mse"), **ours)
    check(softmax, data, one_hot, TRAINING, scores)
    logits = perceptron("linear", 10)
    other = train(logits, data, {**TRAINING, **RATE}, metrics=("accuracy", "mse"), **ours)
    for name in ("loss", "accuracy", "mse", "log_loss"):
        np.testing.assert_allclose(other.validation[name], scores.validation[name], atol=1e-6)


@pytest.mark.slow
def test_two_classes_by_a_sigmoid() -> None:
    data = digits()
    data = replace(data, y=(data.y > 4).astype(np.int32), task="binary", classes=(0, 1))
    build, params = perceptron("sigmoid", 1), {**TRAINING, **RATE}
    scores = train(build, data, params, metrics=("accuracy", "roc_auc"))
    bce = {"loss": keras.losses.BinaryCrossentropy}
    y = data.y[:, None].astype(np.float32)
    for number, model in enumerate(check(build, data, y, params, scores, **ADAM, **bce)):
        rows = FOLDS[number].validation
        answered = model.predict_on_batch(data.x[rows] / np.float32(16))[:, 0]
        area = roc_auc_score(data.y[rows], answered)
        assert scores.validation["roc_auc"][-1, number] == pytest.approx(area)
        right = ((answered > 0.5) == data.y[rows]).mean()
        assert scores.validation["accuracy"][-1, number] == pytest.approx(right)


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_regression_in_scaled_and_in_own_units(compiled: bool) -> None:
    """A model that is compiled sees the targets as they are."""
    data = digits()
    y = 100 + 20 * data.y[:, None].astype(np.float32)
    data = replace(data, y=y, task="regression", classes=None)
    build = perceptron("linear", 1, **({"loss": "mean_squared_error"} if compiled else {}))
    params = {**TRAINING, **RATE}
    scores = train(build, data, params, metrics=("mae",), objective="r2")
    own = {} if compiled else {**ADAM, "loss": keras.losses.MeanSquaredError}
    stats = [(y[fold.train].mean(), y[fold.train].std()) for fold in FOLDS]
    seen = [y if compiled else (y - mean) / std for mean, std in stats]
    models = check(build, data, seen, params, scores, **own)
    for number, model in enumerate(models):
        rows, (mean, std) = FOLDS[number].validation, stats[number]
        answered = model.predict_on_batch(data.x[rows] / np.float32(16))
        answered = answered if compiled else answered * std + mean
        error = np.abs(answered - y[rows]).mean()
        assert scores.validation["mae"][-1, number] == pytest.approx(error, rel=1e-5)


class Random(keras.layers.Layer):
    """Numbers that no configuration tells."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.numbers = np.random.normal(size=(64, 5)).astype(np.float32)

    def call(self, x: Any) -> Any:
        return keras.ops.tanh(x @ self.numbers)


def with_random_numbers(params: dict[str, Any]) -> keras.Model:
    return keras.Sequential([keras.Input((64,)), Random(), layers.Dense(10)])


def test_settings_of_a_network_of_ones_own_follow_no_schedule() -> None:
    given: dict[str, Any] = {
        "optimizer.weight_decay": 0.1,
        "optimizer.weight_decay_schedule": "cosine",
        # A name of `build`'s own.
        "model.dropout_schedule": "mine",
    }
    with pytest.raises(
        PlanError, match=r"optimizer\.weight_decay_schedule is for .* got 'cosine' .*: constant"
    ):
        plan_own({**TRAINING, **given}, digits(), "")
    stays = {**TRAINING, **given, "optimizer.weight_decay_schedule": "constant"}
    assert plan_own(stays, digits(), "").training.scheduled == ()


@pytest.mark.slow
def test_networks_share_a_trace_only_if_keras_tells_all_of_them() -> None:
    data, params = digits(), {**TRAINING, **RATE}
    training = plan_own(params, data, "").training
    forms = [
        form_of(built_network(build, own, seed, training, "multiclass", (8, 8)))
        for build, own, seed in [
            (convolutional, params, 1),
            (convolutional, params, 2),
            (convolutional, {**params, "compiled": True}, 1),
            (perceptron("linear", 10), params, 1),
            (with_random_numbers, params, 1),
        ]
    ]
    assert forms[0] is not None
    assert [form == forms[0] for form in forms] == [True, True, False, False, False]
    assert forms[-1] is None
    scores = train(with_random_numbers, data, params)
    check(with_random_numbers, data, data.y, params, scores, **ADAM, **SPARSE)


class Leave(EpochCallback):
    """Ends the training after an epoch, and keeps where it stands."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.saved = b""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self._epoch:
            self.saved = to_bytes(SavedState(self.model.training_state(), {}))
            self.model.stop_training = True


@pytest.mark.slow
def test_a_training_goes_on_as_if_nobody_had_interrupted_it() -> None:
    data = digits()
    trainer = OwnTrainer(convolutional, data, FOLDS)
    plan = trainer.plan({**TRAINING, **RATE, "early_stopping.patience": 1, "schedule": "plateau"})
    [whole] = trainer.train([plan], [SEEDS])
    leave = Leave(0)
    [part] = trainer.train([plan], [SEEDS], callbacks=[leave])
    assert part.status == ("interrupted",) * 3
    state = from_file(BytesIO(leave.saved)).state
    [resumed] = trainer.train([plan], [SEEDS], state=state)
    assert resumed.status == whole.status
    for name, curve in whole.validation.items():
        assert curve.tobytes() == resumed.validation[name].tobytes(), name


@pytest.mark.slow
def test_a_network_that_has_ended_rests() -> None:
    """What the others do is as if it trained on."""
    data, params = digits(), {**TRAINING, **RATE, "epochs": 6, "early_stopping.patience": 1}
    trainer = OwnTrainer(convolutional, data, FOLDS, metrics=("log_loss",), objective="log_loss")
    plan, weights = trainer.plan({**params, "optimizer.learning_rate": 0.1}), []

    class Watch(EpochCallback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            weights.append(self.model.network_weights())

    [scores] = trainer.train([plan], [SEEDS], callbacks=[Watch()])
    ran = (~np.isnan(scores.validation["log_loss"])).sum(axis=0)
    assert min(ran) < max(ran)
    first = int(ran.argmin())
    for before, after in zip(weights[ran[first] - 1][first], weights[-1][first], strict=True):
        assert before.tobytes() == after.tobytes()
    alone = OwnTrainer(
        convolutional, data, [FOLDS[ran.argmax()]], metrics=("log_loss",), objective="log_loss"
    )
    [own] = alone.train([plan], [[SEEDS[ran.argmax()]]])
    np.testing.assert_allclose(
        own.validation["log_loss"][:, 0], scores.validation["log_loss"][:, ran.argmax()], rtol=1e-5
    )


def raising(params: dict[str, Any]) -> keras.Model:
    raise KeyError("filters")


def of_two_inputs(params: dict[str, Any]) -> keras.Model:
    inputs = [keras.Input((64,)), keras.Input((3,))]
    return keras.Model(inputs, layers.Dense(10)(layers.Concatenate()(inputs)))


def of_two_outputs(params: dict[str, Any]) -> keras.Model:
    inputs = keras.Input((64,))
    return keras.Model(inputs, [layers.Dense(10)(inputs), layers.Dense(10)(inputs)])


class Stepping(keras.Sequential):
    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


ONE = keras.Sequential([keras.Input((64,)), layers.Dense(10)])


def without_loss(params: dict[str, Any]) -> keras.Model:
    model = keras.Sequential([keras.Input((64,)), layers.Dense(10)])
    model.compile("sgd")
    return model


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (lambda params: sys.exit("enough"), "raised SystemExit: enough"),
        (lambda params: ONE, "weights of a model that it returned before"),
        (lambda params: keras.Sequential([keras.Input((64,)), *ONE.layers]), "returned before"),
        (without_loss, "compiled without a loss"),
        (lambda params: None, "returned None, a NoneType"),
        (raising, "raised KeyError: 'filters'"),
        (of_two_inputs, "has 2 inputs"),
        (of_two_outputs, "answers several outputs; a multiclass task with 10 outputs asks for "),
        (perceptron("linear", 3), "answers (None, 3)"),
        (lambda params: keras.Sequential([keras.Input((9, 9, 1)), layers.Flatten()]), "(None, 9, "),
        (lambda params: keras.Sequential([keras.Input((64,)), layers.Conv2D(3, 3)]), "raised"),
        (lambda params: Stepping([keras.Input((64,)), layers.Dense(10)]), "a train_step of its"),
    ],
)  # fmt: skip
def test_a_network_that_does_not_fit_is_refused_in_a_sentence(build: Any, problem: str) -> None:
    trainer = OwnTrainer(build, digits(), FOLDS)
    plan = trainer.plan({**TRAINING, "filters": 3})
    with pytest.raises(PlanError) as told:
        trainer.train([plan], [SEEDS])
    assert "build(params) must return a keras.Model of one input and one output" in str(told.value)
    assert problem in str(told.value)
    assert "filters=3" in str(told.value)


@pytest.mark.slow
def test_a_model_that_does_not_say_what_it_takes_gets_images() -> None:
    def build(params: dict[str, Any]) -> keras.Model:
        return keras.Sequential([layers.Reshape((8, 8, 1)), layers.Flatten(), layers.Dense(10)])

    scores = train(build, digits(), {**TRAINING, "epochs": 1})
    assert scores.status == ("completed",) * 3
