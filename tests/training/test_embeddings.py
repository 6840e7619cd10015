"""Numbers embedded and shortcuts, in a stack: against plain Keras, and against themselves alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support import plain_keras, problems
from tuner.planning import TrainingPlan, plan_training
from tuner.planning.cost import count_parameters, forward_multiply_adds
from tuner.training import Trainer
from tuner.training.kind import COMPILED_STEPS, compiled
from tuner.training.stack_data import unused_weights_stay

SOME = (0, 2, 5)


def plan(numbers: tuple[int, ...] | None, **params: Any) -> TrainingPlan:
    small = {"embedding.frequencies": 5, "embedding.units": 3} if "embedding" in params else {}
    named = {name.replace("__", "."): value for name, value in params.items()}
    return plan_training(
        {"model.units": "8", "batch_size": 16, "epochs": 2, **small, **named},
        features=problems.FEATURES,
        outputs=problems.CLASSES,
        task="multiclass",
        numbers=numbers,
    )


def in_one_stack(plans: list[TrainingPlan]) -> None:
    """Each network of `plans` on two ragged folds against plain Keras's."""
    data, folds = problems.dataset(), problems.folds(33, 64)
    seeds = [[11, 12], [21, 22]][: len(plans)]
    trained = Trainer(data, folds, scaling="none").train(plans, seeds, weights=True)
    for own, own_seeds, scores in zip(plans, seeds, trained, strict=True):
        for i, (fold, seed) in enumerate(zip(folds, own_seeds, strict=True)):
            plain, losses = plain_keras.train(own, data, fold, seed)
            np.testing.assert_allclose(scores.train["loss"][:, i], losses, rtol=2e-5)
            first = plain_keras.network_weights(own.model, seed)
            for mine, theirs in zip(scores.weights[i], plain.get_weights(), strict=True):
                np.testing.assert_allclose(mine, theirs, atol=1e-5, rtol=0)
            assert np.abs(plain.get_weights()[0] - first[0]).max() > 1e-4, "it must have trained"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "numbers", "optimizer"),
    [("plr", SOME, "adam"), ("pbld", SOME, "muon"), ("pbld", None, "lamb")],
)
def test_embedded_numbers_train_as_in_keras(
    kind: str, numbers: tuple[int, ...] | None, optimizer: str
) -> None:
    params = {"embedding": kind, "optimizer": optimizer, "optimizer__learning_rate": 0.01}
    in_one_stack(
        [
            plan(numbers, **params, embedding__sigma=0.5, model__activation="tanh"),
            plan(numbers, **params, embedding__sigma=1.5, model__activation="tanh", epochs=3),
        ]
    )


@pytest.mark.slow
def test_layers_of_equal_width_are_skipped_as_in_keras() -> None:
    params = {"model__units": "8-8-5-5", "model__skip_connections": True, "optimizer": "sgd"}
    in_one_stack(
        [
            plan(None, **params, model__batch_norm=True, optimizer__momentum=0.9),
            plan(None, **params, model__batch_norm=True, optimizer__learning_rate=0.1),
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plr", "pbld"])
def test_an_embedded_network_is_the_same_to_the_last_bit_alone_and_in_any_stack(kind: str) -> None:
    own = plan(SOME, embedding=kind, optimizer="sgd", optimizer__momentum=0.9)
    data, folds, seeds = problems.dataset(), problems.folds(64, 48, 64), [1, 2, 3]
    [stacked] = Trainer(data, folds).train([own], [seeds], weights=True)
    for i, fold in enumerate(folds):
        [alone] = Trainer(data, [fold]).train([own], [seeds[i : i + 1]], weights=True)
        for a, b in zip(alone.weights[0], stacked.weights[i], strict=True):
            np.testing.assert_array_equal(a, b)


def test_first_frequencies_and_phases_are_as_published() -> None:
    own = plan(None, embedding="pbld", embedding__sigma=0.3, embedding__frequencies=4000).model
    frequencies, phases, kernel, bias, *_ = plain_keras.network_weights(own, 7)
    assert frequencies.shape == phases.shape == (problems.FEATURES, 4000)
    np.testing.assert_allclose(frequencies.std(axis=1), 0.3, rtol=0.05)
    np.testing.assert_allclose(frequencies.mean(axis=1), 0, atol=0.03)
    assert (phases.min(), phases.max()) == pytest.approx((-np.pi, np.pi), abs=0.01)
    assert np.abs(np.concatenate([kernel, bias[:, None]], 1)).max() <= 4000**-0.5
    assert any(
        (a != b).any()
        for a, b in zip(
            plain_keras.network_weights(own, 7), plain_keras.network_weights(own, 8), strict=True
        )
    )


def test_parameters_are_as_many_as_keras_counts() -> None:
    for own in (plan(SOME, embedding="plr"), plan(None, embedding="pbld")):
        counted = plain_keras.build(own, "multiclass").count_params()
        assert count_parameters(own.model) == counted
    bare, wide = plan(None), plan(None, embedding="pbld")
    layers = problems.FEATURES * (5 + 5 * 2) + 3 * problems.FEATURES * 8 + 8 * problems.CLASSES
    assert forward_multiply_adds(wide.model) > layers > forward_multiply_adds(bare.model)


def test_nothing_is_embedded_if_no_column_is_a_number() -> None:
    assert plan((), embedding="pbld") == plan(())


def test_columns_of_zeros_are_not_left_out_and_no_cosine_is_compiled() -> None:
    bare = plan(None, epochs=COMPILED_STEPS)
    own = plan(None, epochs=COMPILED_STEPS, embedding="plr")
    assert (unused_weights_stay(bare), unused_weights_stay(own)) == (True, False)
    folds = problems.folds(64)
    assert (compiled([bare], folds), compiled([own], folds)) == (True, False)
