"""Long trainings are compiled by XLA: the same numbers within rounding, by a rule of the plan."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import problems
from tuner.training import Trainer
from tuner.training.kind import COMPILED_STEPS, compiled


def test_the_rule_counts_the_steps_of_the_longest_training() -> None:
    folds = problems.folds(64, 33)
    long = COMPILED_STEPS // 4
    assert compiled([problems.plan(epochs=long)], folds)
    assert not compiled([problems.plan(epochs=long - 1)], folds)
    assert compiled([problems.plan(epochs=1), problems.plan(epochs=long)], folds)
    assert not compiled([problems.plan(epochs=long, batch_size=64)], folds)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "optimizer__momentum": 0.9, "optimizer__nesterov": True},
        {"model__dropout": 0.4, "model__layers": 2},
        # Not Adam: a bias in front of batch normalization has a gradient of rounding alone.
        {"optimizer": "sgd", "model__batch_norm": True, "optimizer__clipnorm": 0.1},
        {"model__l2": 0.01},
        {"optimizer": "ftrl", "loss__label_smoothing": 0.1},
        {"optimizer": "nadam", "schedule": "cosine"},
        {"optimizer": "adafactor"},
        {"optimizer": "muon", "weight_averaging": "ema"},
        {"weight_averaging": "swa", "weight_averaging__swa_start": 0.0},
    ],
    ids=str,
)
def test_compiled_and_plain_trainings_agree(params: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout masks included, and with folds that sit out steps."""
    data, folds, seeds = problems.dataset(), problems.folds(33, 64, 50), problems.seeds(3)
    metrics = ("accuracy", "log_loss")
    plan = problems.plan(**params)
    [plain] = Trainer(data, folds, metrics=metrics).train([plan], [seeds], weights=True)
    monkeypatch.setattr("tuner.training.kind.COMPILED_STEPS", 0)
    [fast] = Trainer(data, folds, metrics=metrics).train([plan], [seeds], weights=True)
    for a, b in zip(plain.weights, fast.weights, strict=True):
        for one, other in zip(a, b, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
    for name, values in plain.validation.items():
        np.testing.assert_allclose(values, fast.validation[name], atol=1e-4)


@pytest.mark.slow
def test_a_compiled_stack_serves_other_batch_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    data, folds, seeds = problems.dataset(), problems.folds(33, 64), problems.seeds(2)
    plans = [problems.plan(batch_size=size, epochs=2) for size in (16, 7)]
    plain = [Trainer(data, folds).train([plan], [seeds])[0] for plan in plans]
    monkeypatch.setattr("tuner.training.kind.COMPILED_STEPS", 0)
    trainer = Trainer(data, folds)
    for plan, expected in zip(plans, plain, strict=True):
        [scores] = trainer.train([plan], [seeds])
        np.testing.assert_allclose(
            scores.validation["loss"], expected.validation["loss"], atol=1e-5
        )
