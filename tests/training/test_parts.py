"""RealMLP's parts of a network in a stack: equal to plain Keras, alone and in any stack, and out
again as Keras's own layers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support import plain_parts
from tests.training.test_equals_keras import FEATURES, make, ragged_folds, slow
from tuner.export.sequential import build_sequential
from tuner.planning import TrainingPlan, epoch_order, network_seed, plan_training
from tuner.sklearn.estimators.forward import forward
from tuner.training import Trainer
from tuner.training.initial_weights import first_rows, network_weights
from tuner.training.stack_data import StackData

SMALL = {"model.layers": 2, "model.units": 9, "batch_size": 32, "epochs": 2}
NETWORK = {
    "model.parametrization": "ntk",
    "model.front_scale": True,
    "model.parametric_activation": True,
    "model.activation": "mish",
    "initializer": "unit_variance",
    "model.bias_initializer": "he+5",
}
FACTORS = {
    "learning_rate_factor.bias": 0.1,
    "learning_rate_factor.first_layer": 1.5,
    "learning_rate_factor.front_scale": 6.0,
    "learning_rate_factor.activation": 0.3,
}
OTHER = {
    "learning_rate_factor.bias": 0.7,
    "learning_rate_factor.first_layer": 0.2,
    "learning_rate_factor.front_scale": 0.5,
    "learning_rate_factor.activation": 2.0,
}
#: Beside batch normalization, where a bias has no gradient: Adam would make its rounding large.
SGD = {"optimizer": "sgd", "optimizer.momentum": 0.9}
DECAY = {"optimizer": "adamw", "optimizer.weight_decay": 0.5, "weight_decay_factor.bias": 0.0}


def plan_of(params: dict[str, Any]) -> TrainingPlan:
    given = {**SMALL, **params}
    return plan_training(given, features=FEATURES, outputs=3, task="multiclass")


def raw(plan: TrainingPlan, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Plain weights as the neural tangent parametrization holds them."""
    if plan.model.parametrization == "standard":
        return weights
    return [w * np.sqrt(w.shape[0]) if w.ndim == 2 else w for w in weights]


@pytest.mark.slow
@pytest.mark.parametrize(
    "candidates",
    [
        # Two networks that differ, and alike ones, which one kernel updates.
        ({**NETWORK, **FACTORS, **DECAY}, {**NETWORK, **OTHER, **DECAY, "optimizer.beta_2": 0.9}),
        ({**NETWORK, **FACTORS},),
        (
            {"model.front_scale": True, "model.l2": 0.01},
            {"model.front_scale": True, "model.l1": 0.01},
        ),
        slow((
            {"model.parametrization": "ntk", "model.l2": 0.01, "model.batch_norm": True, **SGD},
            {"model.parametrization": "ntk", "model.l1": 0.01, "model.batch_norm": True, **SGD},
        )),
        slow(({**FACTORS, **SGD},)),
        *(
            slow((
                {**FACTORS, "optimizer": name, **settings},
                {**OTHER, "optimizer": name, **settings},
            ))
            for name, settings in {
                "sgd": {"optimizer.momentum": 0.9, "optimizer.nesterov": True},
                "rmsprop": {}, "nadam": {}, "lion": {}, "ftrl": {}, "adamax": {}, "adagrad": {},
                "adadelta": {"optimizer.learning_rate": 1.0},
                "lamb": {}, "muon": {}, "adafactor": {},
            }.items()
        ),
    ],
)  # fmt: skip
def test_a_stack_with_parts_is_plain_keras(candidates: tuple[dict[str, Any], ...]) -> None:
    dataset, fold = make("multiclass"), ragged_folds()[1]
    plans = [plan_of({"optimizer.learning_rate": 0.005, **own}) for own in candidates]
    seeds = [[network_seed(7, c, 0)] for c in range(len(plans))]
    trainer = Trainer(dataset, [fold], scaling="none")
    rows = dataset.x[fold.train]
    for plan, [seed], scores in zip(
        plans, seeds, trainer.train(plans, seeds, weights=True), strict=True
    ):
        order = epoch_order(seed, 0, len(fold.train))
        first = network_weights(plan.model, seed, rows[order])
        plain = plain_parts.train(plan, dataset, fold, seed, first)
        moved = [
            float(np.abs(a - b).max())
            for v, a, b in zip(plain.weights, plain.get_weights(), first, strict=True)
            if v.trainable and (v.name != "bias" or not plan.model.batch_norm)
        ]
        assert min(moved) > 1e-6, "every weight of the reference must have trained"
        expected = np.asarray(plain(dataset.x, training=False))
        trained = plain_parts.build(plan)
        trained.set_weights(raw(plan, scores.weights[0]))
        actual = np.asarray(trained(dataset.x, training=False))
        np.testing.assert_allclose(actual, expected, atol=1e-5)
        answers = forward(plan.model, scores.weights[0], dataset.x)
        np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_first_weights_scale_units_and_bend_among_the_rows() -> None:
    """By NumPy, layer by layer: sums of variance 1 over the rows, biases that are the negative of
    a mean of sums."""
    dataset, fold = make("multiclass"), ragged_folds()[0]
    x = dataset.x[fold.train] * 5 + 2
    model = plan_of(NETWORK).model
    weights = iter(network_weights(model, 3, x))
    x = x * next(weights)
    for last in (False, False, True):
        kernel, bias = next(weights), next(weights)
        sums = x @ kernel / np.sqrt(x.shape[1])
        np.testing.assert_allclose(sums.std(0), 1, rtol=1e-4)
        assert ((-bias > sums.min(0)) & (-bias < sums.max(0))).all()
        assert len(set(bias.tolist())) == len(bias)
        if not last:
            assert (next(weights) == 1).all()
            x = np.asarray(keras.activations.mish(sums + bias))
    flat = network_weights(model, 3, np.full_like(dataset.x, 2.0))
    assert all(np.isfinite(weight).all() for weight in flat)
    drawn = plan_of({"model.parametrization": "ntk", "initializer": "he_normal"}).model
    plain = plan_of({"initializer": "he_normal"}).model
    for a, b in zip(network_weights(drawn, 3), network_weights(plain, 3), strict=True):
        np.testing.assert_allclose(a, b * np.sqrt(b.shape[0]) if b.ndim == 2 else b, rtol=1e-6)


@pytest.mark.slow
def test_a_network_with_parts_is_the_same_alone_and_in_any_stack() -> None:
    dataset, folds = make("multiclass"), ragged_folds()
    one = plan_of({**NETWORK, **FACTORS, "model.units": 13})
    two = plan_of({**NETWORK, **OTHER, "model.units": 13})
    seeds = [[network_seed(7, c, f) for f in range(3)] for c in range(2)]
    trainer = Trainer(dataset, folds, scaling="standard")
    together = trainer.train([two, one], seeds, weights=True)[1].weights
    for fold in range(3):
        alone = trainer.on_folds([fold])
        [scores] = alone.train([one], [[seeds[1][fold]]], weights=True)
        # Another kernel updates networks that are alike; their first weights are the same bits.
        for a, b in zip(together[fold], scores.weights[0], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    data = StackData.of(dataset, folds, "standard", None, None, None)
    rows = first_rows(one.model, folds, seeds[1], data)
    part = first_rows(one.model, folds[2:], seeds[1][2:], data.of_networks([2]))
    np.testing.assert_array_equal(rows[2], part[0])


@pytest.mark.slow
def test_the_exported_model_is_keras_s_own(tmp_path: Path) -> None:
    """Read back by a process that has no `tuner`; a network without such parts is a Sequential."""
    dataset, fold = make("multiclass"), ragged_folds()[0]
    params = {**NETWORK, "model.l2": 0.01, "model.dropout": 0.2, "model.batch_norm": True}
    plan = plan_of({**params, "optimizer.learning_rate": 0.05})
    [scores] = Trainer(dataset, [fold], scaling="none").train([plan], [[5]], weights=True)
    [weights] = scores.weights
    model = build_sequential(plan.model, weights, task="multiclass")
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", dataset.x)
    script = (
        "import sys, numpy, keras; sys.modules['tuner'] = None\n"
        "model = keras.saving.load_model('model.keras')\n"
        "numpy.save('y.npy', model.predict(numpy.load('x.npy'), verbose=0))"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    logits = forward(plan.model, weights, dataset.x)
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, atol=1e-5)
    trained = raw(plan, [weight for weight in weights if weight.ndim == 2])
    penalty = sum(0.01 * float((kernel**2).sum()) for kernel in trained[:-1])
    assert float(sum(model.losses)) == pytest.approx(penalty, rel=1e-4)
    plain = plan_of({"model.front_scale": True}).model
    scaled = build_sequential(plain, network_weights(plain, 1), task="multiclass")
    assert isinstance(scaled, keras.Sequential)
