"""One kernel a variable, for networks that are alike: the same weights, fewer passes over them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import plain_keras
from tests.support.problems import dataset, folds, plan, seeds
from tuner.planning import TrainingPlan
from tuner.training import Trainer, kind
from tuner.training.kind import FusedUpdate, fused_update
from tuner.training.stack_cache import STACKS

SGD = {"optimizer": "sgd", "optimizer.learning_rate": 0.05}
ADAM = {"optimizer": "adam", "optimizer.learning_rate": 0.003}
KINDS = [
    SGD,
    {**SGD, "optimizer.momentum": 0.37},
    {**SGD, "optimizer.momentum": 0.37, "optimizer.nesterov": True},
    {**SGD, "optimizer.momentum": 0.9, "optimizer.nesterov": True, "optimizer.weight_decay": 0.1},
    {**ADAM, "optimizer.beta_1": 0.8, "optimizer.epsilon": 1e-4},
    {**ADAM, "optimizer": "adamw", "optimizer.weight_decay": 0.1, "optimizer.clipnorm": 0.1},
    {**SGD, "optimizer.momentum": 0.9, "schedule": "cosine", "schedule.warmup": 1},
]
#: 40 rows in batches of 16: three steps for each, the last one of 8 rows or 6.
EVEN = (40, 38, 40)


def trainer() -> Trainer:
    return Trainer(dataset(), folds(*EVEN), scaling="none")


def trained(own: TrainingPlan) -> list[list[np.ndarray]]:
    STACKS.clear()
    weights = trainer().train([own], [seeds(3)], weights=True)[0].weights
    assert weights is not None
    return weights


@pytest.mark.slow
@pytest.mark.parametrize("params", KINDS, ids=str)
def test_the_kernel_and_the_formula_give_the_same_bits(params, monkeypatch):
    own = plan(**params)
    assert fused_update([own] * 3, [3] * 3) is not None
    fused = trained(own)
    monkeypatch.setattr(kind, "fused_update", lambda plans, steps: None)
    for network, other in zip(fused, trained(own), strict=True):
        for a, b in zip(network, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "params",
    [
        pytest.param(KINDS[2], marks=pytest.mark.slow),
        KINDS[4],
        pytest.param(KINDS[5], marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_alike_networks_move_as_keras_moves_them(params):
    own, data = plan(**params), dataset()
    for fold, seed, weights in zip(folds(*EVEN), seeds(3), trained(own), strict=True):
        plain, _ = plain_keras.train(own, data, fold, seed, plain_keras.targets(data, own))
        expected = plain_keras.logits(plain, own, data.task, data.x)
        plain.set_weights(weights)
        actual = plain_keras.logits(plain, own, data.task, data.x)
        np.testing.assert_allclose(actual, expected, atol=1e-5, rtol=0)


def test_networks_that_differ_have_no_kernel():
    sgd = plan(**SGD)
    assert fused_update([sgd, sgd], [3, 3]) == FusedUpdate(nesterov=False)
    assert fused_update([sgd, sgd], [3, 4]) is None
    assert fused_update([sgd, plan(**{**SGD, "optimizer.momentum": 0.1})], [3, 3]) is None
    assert fused_update([sgd, plan(**{**SGD, "optimizer.learning_rate": 0.1})], [3, 3]) is None
    assert fused_update([plan(**SGD, schedule="plateau")] * 2, [3, 3]) is None
    assert fused_update([plan(**ADAM, optimizer__amsgrad=True)], [3]) is None
    assert fused_update([plan(optimizer="rmsprop")], [3]) is None


def test_totals_matter_where_the_rate_depends_on_them():
    longer = {"epochs": 5}
    assert fused_update([plan(**SGD), plan(**SGD, **longer)], [3, 3]) is not None
    cosine = {**SGD, "schedule": "cosine"}
    assert fused_update([plan(**cosine), plan(**cosine, **longer)], [3, 3]) is None


def test_a_network_that_ends_before_the_others_is_no_different():
    """Its rate is 0 then, and the kernel takes one rate for all."""
    short, long = plan(**SGD, epochs=2), plan(**SGD, epochs=4)
    together = trainer().train([short, long], [seeds(3)] * 2, weights=True)
    for own, scores in zip((short, long), together, strict=True):
        for a, b in zip(trained(own), scores.weights or [], strict=True):
            for kernel, other in zip(a, b, strict=True):
                np.testing.assert_array_equal(kernel, other)
