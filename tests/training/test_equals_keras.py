"""The stack against plain Keras: same rows, same weights, same batches, one network at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight

from tests.support import plain_keras
from tuner.data.dataset import Dataset, Fold
from tuner.optimizers import OPTIMIZERS
from tuner.planning import TrainingPlan, network_seed, plan_training
from tuner.training import Trainer, TrialScores
from tuner.training.stack import NetworkStack

ROWS, FEATURES = 96, 7


def make(task: str) -> Dataset:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    score = x @ rng.normal(size=(FEATURES, 3)).astype(np.float32)
    y, classes = {
        "multiclass": (score.argmax(1).astype(np.int32), (0, 1, 2)),
        "binary": ((score[:, 0] > 0).astype(np.int32), (0, 1)),
        "multilabel": ((score > 0).astype(np.float32), ("a", "b", "c")),
        "regression": (score[:, :2].astype(np.float32), None),
    }[task]
    return Dataset("test", x, y, task, "0", classes=classes, image_shape=(1, FEATURES))  # type: ignore[arg-type]


def ragged_folds() -> list[Fold]:
    """With batches of 32: 2 full steps; 2 and 1 row; 2 and 17 rows; so networks differ in steps
    and in the size of their last batch."""
    rows = np.random.default_rng(0).permutation(ROWS).astype(np.int32)
    return [Fold(np.sort(rows[:n]), np.sort(rows[n:])) for n in (64, 65, 81)]


def check(params: dict, task: str = "multiclass", others: tuple[dict, ...] = ()) -> None:
    """Train candidates `params` and `others` in one stack, on ragged folds, and each alone in
    plain Keras; weights must lead to equal logits, losses must be equal."""
    dataset, folds = make(task), ragged_folds()
    plans = [
        plan_training(
            {"model.layers": 1, "model.units": 9, "batch_size": 32, "epochs": 2, **own},
            features=FEATURES,
            outputs=dataset.outputs,
            task=task,  # type: ignore[arg-type]
        )
        for own in (params, *others)
    ]
    seeds = [[network_seed(7, c, f) for f in range(len(folds))] for c in range(len(plans))]
    objective = "mse" if task == "regression" else "accuracy"
    trainer = Trainer(dataset, folds, scaling="none", metrics=(objective,), objective=objective)
    for plan, own_seeds, scores in zip(
        plans, seeds, trainer.train(plans, seeds, weights=True), strict=True
    ):
        for i, (fold, seed) in enumerate(zip(folds, own_seeds, strict=True)):
            check_fold(plan, dataset, fold, seed, scores, i)


def check_fold(
    plan: TrainingPlan, dataset: Dataset, fold: Fold, seed: int, scores: TrialScores, i: int
) -> None:
    y = plain_keras.targets(dataset, plan)
    if dataset.task == "regression":
        own = dataset.y[fold.train].astype(np.float64)
        y = ((dataset.y - own.mean(0)) / own.std(0)).astype(np.float32)
    plain, losses = plain_keras.train(plan, dataset, fold, seed, y)
    first = plain_keras.network_weights(plan.model, seed)
    moved = [np.abs(a - b).max() for a, b in zip(plain.get_weights(), first, strict=True)]
    assert max(moved) > 1e-4, "the reference must have trained"
    expected = plain_keras.logits(plain, plan, dataset.task, dataset.x)
    stacked = plain_keras.build(plan, dataset.task)
    stacked.set_weights(scores.weights[i])
    actual = np.asarray(stacked(dataset.x, training=False))
    np.testing.assert_allclose(actual, expected, atol=1e-5, rtol=0)
    np.testing.assert_allclose(scores.train["loss"][:, i], losses, rtol=2e-5)
    answered = plain(dataset.x[fold.validation], training=False)
    judged = plain_keras.loss_of(plan)(y[fold.validation], answered) + sum(plain.losses)
    np.testing.assert_allclose(scores.validation["loss"][-1, i], float(judged), rtol=2e-5)


def slow(*values: object) -> object:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [
        slow("sgd", {}),
        slow("sgd", {"momentum": 0.9}),
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        slow("rmsprop", {}),
        slow("rmsprop", {"momentum": 0.8, "rho": 0.8}),
        ("rmsprop", {"momentum": 0.8, "centered": True}),
        slow("adam", {}),
        ("adam", {"amsgrad": True, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4}),
        slow("adamw", {"weight_decay": 0.1}),
        slow("nadam", {"beta_1": 0.85}),
        slow("adamax", {}),
        slow("adagrad", {"initial_accumulator_value": 0.3}),
        slow("adadelta", {"rho": 0.9, "epsilon": 1e-3}),
        slow("ftrl", {"beta": 0.1, "l2_regularization_strength": 0.02}),
        slow(
            "ftrl",
            {
                "l1_regularization_strength": 0.01,
                "l2_shrinkage_regularization_strength": 0.01,
                "learning_rate_power": -0.4,
                "initial_accumulator_value": 0.2,
            },
        ),
        slow("lion", {"beta_1": 0.8}),
        slow("lamb", {"beta_2": 0.9, "weight_decay": 0.1}),
        slow("adafactor", {"beta_2_decay": -0.5, "clip_threshold": 0.7, "epsilon_2": 0.3}),
        slow("muon", {"nesterov": False, "adam_lr_ratio": 0.3, "ns_steps": 2}),
    ],
)
def test_every_optimizer_moves_as_keras_moves_it(optimizer: str, settings: dict) -> None:
    rate = {"adadelta": 1.0, "ftrl": 0.05, "sgd": 0.05, "lion": 1e-3}.get(optimizer, 0.003)
    named = {f"optimizer.{name}": value for name, value in settings.items()}
    check({"optimizer": optimizer, "optimizer.learning_rate": rate, **named})


SGD: dict[str, Any] = {
    "optimizer": "sgd",
    "optimizer.learning_rate": 0.05,
    "optimizer.momentum": 0.9,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"optimizer.clipnorm": 0.05},
        {"optimizer.global_clipnorm": 0.1},
        slow({"optimizer.clipvalue": 0.01}),
        slow({"optimizer.weight_decay": 0.05}),
        slow({"model.l2": 0.01}),
        slow({"model.l1": 0.003, "model.l2": 0.001}),
        slow({"model.batch_norm": True}),
        {"model.batch_norm": True, "model.l2": 0.01, "optimizer.global_clipnorm": 0.1},
        {"loss.label_smoothing": 0.2},
        slow({"loss": "categorical_crossentropy"}),
        slow({"schedule": "time", "schedule.decay": 0.1}),
        slow({"model.activation": "tanh"}),
        {"model.layers": 0},
        {"batch_size": 500},
        slow({"batch_size": 7, "optimizer.learning_rate": 0.01}),
    ],
    ids=lambda params: "-".join(f"{k.split('.')[-1]}={v}" for k, v in params.items()),
)
def test_every_setting_acts_as_in_keras(params: dict) -> None:
    check({**SGD, **params})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "loss"),
    [
        ("binary", "auto"),
        slow("binary", "mean_squared_error"),
        ("multilabel", "auto"),
        slow("multiclass", "mean_squared_error"),
        slow("multiclass", "huber"),
        ("regression", "auto"),
        slow("regression", "mean_absolute_error"),
        slow("regression", "huber"),
    ],
)
def test_every_task_and_loss_as_in_keras(task: str, loss: str) -> None:
    check({**SGD, "loss": loss}, task)


@pytest.mark.slow
def test_label_smoothing_of_a_binary_task() -> None:
    check({**SGD, "loss.label_smoothing": 0.2}, "binary")


def test_networks_of_one_stack_keep_their_own_settings() -> None:
    """Three folds, three classes: where N equals the number of features of a layer, Keras's
    `ops.add` takes a setting `(N, 1, 1)` for a bias, unless N is left open."""
    adam = {"optimizer.learning_rate": 0.003}
    check(
        {**adam, "optimizer.epsilon": 1e-7},
        others=(
            {**adam, "optimizer.epsilon": 1e-2, "optimizer.beta_1": 0.7},
            {"optimizer.learning_rate": 0.01, "optimizer.epsilon": 0.1, "schedule": "time"},
        ),
    )


@pytest.mark.slow
def test_a_candidate_of_fewer_epochs_ends_after_its_own() -> None:
    check(
        {**SGD, "epochs": 1},
        others=({**SGD, "epochs": 3, "schedule": "cosine"},),
    )


@pytest.mark.slow
def test_regularization_and_smoothing_belong_to_a_network() -> None:
    check(
        {**SGD, "model.l2": 0.01, "loss.label_smoothing": 0.1, "optimizer.clipnorm": 0.05},
        others=(
            {**SGD, "model.l2": 0.05, "loss.label_smoothing": 0.3, "optimizer.clipnorm": 1.0},
            {**SGD, "model.l1": 0.02, "loss.label_smoothing": 0.2, "optimizer.clipnorm": 0.2},
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [
        ("lamb", ({"beta_1": 0.7}, {"beta_2": 0.9}, {"epsilon": 0.1})),
        ("adafactor", ({"beta_2_decay": -0.5}, {"epsilon_2": 0.5}, {"clip_threshold": 0.3})),
        (
            "muon",
            (
                {"adam_beta_1": 0.7, "adam_weight_decay": 0.2},
                {"nesterov": False, "momentum": 0.5, "weight_decay": 0.2},
                {"rms_rate": 0.5, "muon_c": 1.5, "adam_lr_ratio": 0.2},
            ),
        ),
    ],
)
def test_rules_that_look_at_a_whole_weight_look_at_one_network(
    optimizer: str, settings: tuple[dict, ...]
) -> None:
    """Norms, means by row and column, and orthogonal steps; of kernels and biases, and of a kernel
    with one row, which is no bias."""
    shared = {"optimizer": optimizer, "optimizer.learning_rate": 0.01, "optimizer.clipnorm": 0.5}
    shared |= {"model.units": "1-4", "model.layers": None, "model.activation": "tanh"}
    each = [shared | {f"optimizer.{name}": v for name, v in own.items()} for own in settings]
    check(each[0], others=tuple(each[1:]))


def test_all_of_kerass_optimizers_are_there() -> None:
    """But those that wrap others, and ScheduleFreeAdamW: on TensorFlow, Keras reads its momentum
    after the step for that before it, so that beta_1 has no effect, and puts no other weights in
    place for evaluation: neither its paper's nor one of its own."""
    named = {
        name
        for name in dir(keras.optimizers)
        if isinstance(found := getattr(keras.optimizers, name), type)
        and issubclass(found, keras.optimizers.Optimizer)
    }
    left_out = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "ScheduleFreeAdamW"}
    assert {kind.__name__ for kind in OPTIMIZERS.values()} == named - left_out
    if "ScheduleFreeAdamW" in named:
        ends = []
        for beta in (0.5, 0.9):
            weight = keras.Variable([1.0])
            optimizer = keras.optimizers.ScheduleFreeAdamW(0.1, beta_1=beta)
            optimizer.build([weight])
            for gradient in (0.3, 0.6, -0.2):
                optimizer.apply([keras.ops.array([gradient])])
            ends.append(float(weight[0]))
        assert ends[0] == pytest.approx(ends[1], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer", ["ftrl", "nadam", slow("adagrad"), slow("adadelta"), slow("rmsprop")]
)
def test_settings_of_a_network_reach_no_other(optimizer: str) -> None:
    name, values = {
        "ftrl": ("beta", (0.0, 0.3, 1.0)),
        "adagrad": ("initial_accumulator_value", (0.1, 0.5, 2.0)),
        "adadelta": ("epsilon", (1e-3, 1e-2, 0.1)),
        "rmsprop": ("epsilon", (1e-7, 1e-3, 0.1)),
        "nadam": ("beta_1", (0.9, 0.7, 0.5)),
    }[optimizer]
    rate = {"adadelta": 1.0, "ftrl": 0.05}.get(optimizer, 0.003)
    each = [
        {"optimizer": optimizer, "optimizer.learning_rate": rate, f"optimizer.{name}": value}
        for value in values
    ]
    check(each[0], others=(each[1], each[2]))


def test_sample_weights_are_kerass() -> None:
    dataset, (fold, *_) = make("multiclass"), ragged_folds()
    weight = np.random.default_rng(5).uniform(0, 3, ROWS).astype(np.float32)
    params = {"model.layers": 1, "batch_size": 16, "epochs": 2, **SGD}
    plan = plan_training(params, features=FEATURES, outputs=3, task="multiclass")
    trainer = Trainer(dataset, [fold], scaling="none", sample_weight=weight)
    [scores] = trainer.train([plan], [[9]], weights=True)
    plain, _ = plain_keras.train(plan, dataset, fold, 9, sample_weight=weight)
    for a, b in zip(scores.weights[0], plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def unequal(task: str) -> Dataset:
    """The rarest class has 7 of the 96 rows."""
    dataset = make(task)
    order = np.argsort(dataset.x[:, 0])
    y = np.zeros(ROWS, np.int32)
    y[order[:20]] = 1
    if task == "multiclass":
        y[order[:7]] = 2
    return replace(dataset, y=y)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_class_weights_are_kerass(task: str) -> None:
    """In one stack with networks that have others or none; a balanced one by scikit-learn's
    weights of its own fold's training rows, of which the last fold lacks a class."""
    dataset, folds = unequal(task), ragged_folds()
    rarest = np.flatnonzero(dataset.y == dataset.y.max()).astype(np.int32)
    folds[2] = Fold(np.setdiff1d(folds[2].train, rarest).astype(np.int32), rarest)
    smoothed = {"loss.label_smoothing": 0.2} if task == "binary" else {}
    plans = [
        plan_training(
            {"model.layers": 1, "batch_size": 16, "epochs": 2, **SGD, **smoothed},
            features=FEATURES,
            outputs=dataset.outputs,
            task=task,  # type: ignore[arg-type]
        )
        for _ in range(3)
    ]
    given = (0.5, 3.0, 8.0)[: len(dataset.classes or ())]
    all_wanted: list[str | tuple[float, ...]] = ["none", "balanced", given]
    for number, wanted in enumerate(all_wanted):
        own = plans[number]
        plans[number] = replace(own, loss=replace(own.loss, class_weight=wanted))
    seeds = [[network_seed(7, c, f) for f in range(len(folds))] for c in range(len(plans))]
    trainer = Trainer(dataset, folds, scaling="none")
    trained = trainer.train(plans, seeds, weights=True)
    for plan, own_seeds, scores in zip(plans, seeds, trained, strict=True):
        for i, (fold, seed) in enumerate(zip(folds, own_seeds, strict=True)):
            y = dataset.y[fold.train]
            there = np.unique(y)
            weights: dict[int, float] = {
                "none": dict.fromkeys(range(3), 1.0),
                "balanced": dict(
                    zip(there, compute_class_weight("balanced", classes=there, y=y), strict=True)
                ),
            }.get(plan.loss.class_weight, dict(enumerate(given)))  # type: ignore[arg-type]
            plain, losses = plain_keras.train(plan, dataset, fold, seed, class_weight=weights)
            for a, b in zip(scores.weights[i], plain.get_weights(), strict=True):
                np.testing.assert_allclose(a, b, atol=1e-5, rtol=0)
            np.testing.assert_allclose(scores.train["loss"][:, i], losses, rtol=2e-5)
            answered = plain(dataset.x[fold.validation], training=False)
            y = plain_keras.targets(dataset, plan)[fold.validation]
            judged = float(plain_keras.loss_of(plan)(y, answered))
            np.testing.assert_allclose(scores.validation["loss"][-1, i], judged, rtol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["categorical_crossentropy", "mean_squared_error", "huber"])
def test_class_weights_of_every_loss_and_of_shared_rows(loss: str) -> None:
    dataset, (fold, *_) = unequal("multiclass"), ragged_folds()
    plan = plan_training(
        {"model.layers": 1, "batch_size": 16, "epochs": 2, **SGD, "loss": loss}
        | {"loss.class_weight": "balanced"},
        features=FEATURES,
        outputs=3,
        task="multiclass",
    )
    free = replace(plan, loss=replace(plan.loss, class_weight="none"))
    weights = compute_class_weight("balanced", classes=np.arange(3), y=dataset.y[fold.train])
    trainer = Trainer(dataset, [fold], scaling="none")
    for own, scores, by_class in zip(
        (plan, free),
        trainer.train([plan, free], [[9], [9]], weights=True),
        (dict(enumerate(weights)), dict.fromkeys(range(3), 1.0)),
        strict=True,
    ):
        plain, _ = plain_keras.train(own, dataset, fold, 9, class_weight=by_class)
        for a, b in zip(scores.weights[0], plain.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5, rtol=0)


def test_networks_without_class_weights_know_nothing_of_them(monkeypatch) -> None:
    """Their graph has no factor, and their scores are those of a stack that never had one."""
    dataset, (fold, *_) = unequal("multiclass"), ragged_folds()
    seen = []
    run = NetworkStack.run_epoch

    def looked_at(self: NetworkStack, data: Any, *more: Any) -> Any:
        seen.append(data.class_weight)
        return run(self, data, *more)

    monkeypatch.setattr(NetworkStack, "run_epoch", looked_at)
    params = {"model.layers": 1, "batch_size": 16, "epochs": 1, **SGD}
    trainer = Trainer(dataset, [fold], scaling="none")
    curves = []
    for own in ({}, {"loss.class_weight": "balanced"}, {"loss.class_weight": "none"}):
        plan = plan_training({**params, **own}, features=FEATURES, outputs=3, task="multiclass")
        [scores] = trainer.train([plan], [[9]])
        curves.append(scores.train["loss"].tolist())
    assert [one is None for one in seen] == [True, False, True]
    assert curves[0] == curves[2] != curves[1]


def test_one_network_alone_trains_with_every_loss_setting() -> None:
    dataset, (fold, *_) = make("regression"), ragged_folds()
    plan = plan_training(
        {**SGD, "loss": "huber", "model.l2": 0.01, "epochs": 1},
        features=FEATURES,
        outputs=2,
        task="regression",
    )
    trainer = Trainer(dataset, [fold], scaling="none", metrics=(), objective="loss")
    assert trainer.train([plan], [[1]])[0].status == ("completed",)


@pytest.mark.slow
def test_targets_trained_as_logarithms_are_scored_in_their_own_unit() -> None:
    own = make("regression")
    amounts = np.exp(1.5 * own.y + 2).astype(np.float32)
    dataset = replace(own, y=amounts, target_log=True)
    folds = ragged_folds()
    plan = plan_training(
        {"model.layers": 1, "model.units": 9, "batch_size": 32, "epochs": 3},
        features=FEATURES,
        outputs=dataset.outputs,
        task="regression",
    )
    seeds = [network_seed(7, 0, fold) for fold in range(len(folds))]
    trainer = Trainer(
        dataset, folds, scaling="none", metrics=("mae", "mse", "r2", "rmsle"), objective="mae"
    )
    [scores] = trainer.train([plan], [seeds], weights=True)
    logs = np.log1p(amounts.astype(np.float64))
    for i, fold in enumerate(folds):
        mean, std = logs[fold.train].mean(0), logs[fold.train].std(0)
        y = ((logs - mean) / std).astype(np.float32)
        plain, losses = plain_keras.train(plan, dataset, fold, seeds[i], y)
        expected = plain_keras.logits(plain, plan, "regression", dataset.x)
        stacked = plain_keras.build(plan, "regression")
        stacked.set_weights(scores.weights[i])  # type: ignore[index]
        actual = np.asarray(stacked(dataset.x, training=False))
        np.testing.assert_allclose(actual, expected, atol=1e-5, rtol=0)
        np.testing.assert_allclose(scores.train["loss"][:, i], losses, rtol=2e-5)
        answers = np.expm1(expected[fold.validation] * std + mean)
        truth = amounts[fold.validation]
        for name, score in {
            "mae": metrics.mean_absolute_error,
            "mse": metrics.mean_squared_error,
            "r2": metrics.r2_score,
        }.items():
            found = scores.validation[name][-1, i]
            assert found == pytest.approx(score(truth, answers), rel=1e-4)
