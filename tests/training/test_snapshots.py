"""Weights kept on the way: one training stands for several that differ only in their epochs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import problems
from tuner.training import Trainer


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "adam", "model__dropout": 0.2, "model__batch_norm": True},
        {"optimizer": "sgd", "schedule": "time", "schedule__decay": 0.05},
        {"schedule": "plateau", "schedule__patience": 1, "optimizer__learning_rate": 0.3},
    ],
)
def test_until_is_the_shorter_training(params: dict[str, object]) -> None:
    trainer = Trainer(problems.dataset(), problems.folds(33, 64))
    longest, other = problems.plan(epochs=5, **params), problems.plan(epochs=2, **params)
    scores, _ = trainer.train(
        [longest, other], [problems.seeds(2)] * 2, weights=True, snapshots=[(1, 3), ()]
    )
    assert sorted(scores.snapshots) == [1, 3]
    for epochs in (1, 3, 5):
        cut = scores.until(epochs)
        [alone] = trainer.train(
            [problems.plan(epochs=epochs, **params)], [problems.seeds(2)], weights=True
        )
        assert cut.status == alone.status == ("completed", "completed")
        np.testing.assert_array_equal(cut.score_epoch, alone.score_epoch)
        for ours, theirs in ((cut.train, alone.train), (cut.validation, alone.validation)):
            for name in theirs:
                np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(cut.learning_rate, alone.learning_rate)
        assert cut.weights is not None
        assert alone.weights is not None
        for mine, own in zip(cut.weights, alone.weights, strict=True):
            for a, b in zip(mine, own, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_network_that_diverges_later_has_sound_earlier_weights() -> None:
    x = problems.dataset()
    trainer = Trainer(x, problems.folds(64, 64), scaling="none")
    params = {"optimizer": "sgd", "optimizer__learning_rate": 1e-3, "schedule": "piecewise"}
    plan = problems.plan(
        epochs=6,
        **params,
        loss="mse",
        schedule__boundaries=[3],
        schedule__factors=[1e30],
        model__activation="linear",
    )
    scores = trainer.train([plan], [problems.seeds(2)], weights=True, snapshots=[range(1, 6)])[0]
    assert scores.status == ("diverged", "diverged")
    ended = int(scores.score_epoch[0])
    assert 3 < ended <= 6
    before, at = scores.until(3), scores.until(ended)
    assert before.status == ("completed", "completed")
    assert before.weights is not None
    assert all(np.isfinite(value).all() for value in before.weights[0])
    assert at.status == ("diverged", "diverged")
    assert at.epochs_run == ended


def test_a_training_with_patience_stands_for_no_other() -> None:
    trainer = Trainer(problems.dataset(), problems.folds(64))
    plan = problems.plan(epochs=30, early_stopping__patience=1, early_stopping__min_delta=1.0)
    [scores] = trainer.train([plan], [problems.seeds(1)])
    assert scores.status == ("stopped",)
    with pytest.raises(ValueError, match="patience"):
        scores.until(2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    [
        "sgd",
        pytest.param("lion", marks=pytest.mark.slow),
        "adam",
        pytest.param("adamw", marks=pytest.mark.slow),
    ],
)
def test_a_network_is_the_same_to_the_last_bit_in_a_stack_of_any_size(optimizer: str) -> None:
    plan = problems.plan(optimizer=optimizer, epochs=4, model__dropout=0.1)
    fold = problems.folds(61)[0]

    def first_network(networks: int) -> list[np.ndarray]:
        trainer = Trainer(problems.dataset(), [fold] * networks)
        weights = trainer.train([plan], [problems.seeds(networks)], weights=True)[0].weights
        assert weights is not None
        return weights[0]

    alone = first_network(1)
    for networks in (2, 9):
        for ours, theirs in zip(first_network(networks), alone, strict=True):
            np.testing.assert_array_equal(ours, theirs)
