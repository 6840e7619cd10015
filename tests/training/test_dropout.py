"""Masks belong to a network: checked against a plain NumPy form of the same hash."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import problems
from tuner.planning.layers import Dropout
from tuner.planning.seeds import lowbias32 as reference_mixer
from tuner.training import Trainer
from tuner.training.layers import InStack
from tuner.training.layers.dropout import DropoutClock, StackedDropout, lowbias32

ROWS, UNITS = 64, 101


def layer(clock: DropoutClock, salt: int = 0) -> StackedDropout:
    own = Dropout(name="dropout", inputs=UNITS, outputs=UNITS, place=salt)
    return StackedDropout(own, InStack(1, None, clock))


def kept(seeds: list[int], rates: list[float], steps: list[int], salt: int = 0) -> np.ndarray:
    clock = DropoutClock()
    for name, value in DropoutClock.settings(seeds, rates).items():
        setattr(clock, name, value)
    clock.step = np.array(steps, np.int32).reshape(-1, 1, 1)
    return np.asarray(layer(clock, salt).kept(ROWS, UNITS))


def test_the_mixer_is_the_published_one() -> None:
    words = np.array([0, 1, 2, 0x9E3779B9, 0xFFFFFFFF], np.uint32)
    expected = [reference_mixer(int(word)) for word in words]
    assert np.asarray(lowbias32(words)).tolist() == expected


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_kept_is_one_minus_rate(rate: float) -> None:
    masks = kept(list(range(200)), [rate] * 200, [3] * 200)
    count = masks.size
    assert abs(masks.mean() - (1 - rate)) < 5 * np.sqrt(rate * (1 - rate) / count)
    per_unit = masks.mean(axis=(0, 1))
    spread = np.sqrt(rate * (1 - rate) / (count / UNITS))
    assert np.abs(per_unit - (1 - rate)).max() < 5 * spread


@pytest.mark.parametrize("other", ["seed", "step", "salt", "row", "unit"])
def test_masks_that_differ_in_one_thing_are_independent(other: str) -> None:
    count = 100
    first = kept(list(range(count)), [0.5] * count, [7] * count)
    second = {
        "seed": lambda: kept(list(range(count, 2 * count)), [0.5] * count, [7] * count),
        "step": lambda: kept(list(range(count)), [0.5] * count, [8] * count),
        "salt": lambda: kept(list(range(count)), [0.5] * count, [7] * count, salt=1),
        "row": lambda: np.roll(first, 1, axis=1),
        "unit": lambda: np.roll(first, 51, axis=2),
    }[other]()
    agree = (first == second).mean()
    assert abs(agree - 0.5) < 5 * 0.5 / np.sqrt(first.size)


def test_rate_0_keeps_everything_beside_a_network_with_dropout() -> None:
    masks = kept([1, 2], [0.0, 0.4], [0, 0])
    assert masks[0].all()
    assert not masks[1].all()


@pytest.mark.slow
def test_training_with_dropout_is_the_same_alone_and_in_a_stack() -> None:
    """Folds of different lengths, so that the network sits out steps inside the stack."""
    data, folds, seeds = problems.dataset(), problems.folds(33, 64, 50), problems.seeds(3)
    plan = problems.plan(model__dropout=0.4, model__layers=2)
    [together] = Trainer(data, folds).train([plan], [seeds], weights=True)
    for i, fold in enumerate(folds):
        [alone] = Trainer(data, [fold]).train([plan], [[seeds[i]]], weights=True)
        for a, b in zip(alone.weights[0], together.weights[i], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_dropout_is_off_in_validation() -> None:
    data, folds = problems.dataset(), problems.folds(64)
    plan = problems.plan(model__dropout=0.9, optimizer__learning_rate=1e-9, epochs=2)
    [scores] = Trainer(data, folds).train([plan], [problems.seeds(1)])
    first, second = scores.validation["loss"][:, 0]
    assert first == pytest.approx(second, abs=1e-6)
    [without] = Trainer(data, folds).train(
        [problems.plan(optimizer__learning_rate=1e-9, epochs=1)], [problems.seeds(1)]
    )
    assert first == pytest.approx(without.validation["loss"][0, 0], abs=1e-6)


def test_dropout_scales_what_it_keeps() -> None:
    clock = DropoutClock()
    for name, value in DropoutClock.settings([9], [0.25]).items():
        setattr(clock, name, value)
    clock.step = np.zeros((1, 1, 1), np.int32)
    out = np.asarray(layer(clock)(np.ones((1, ROWS, UNITS), np.float32), training=True))
    assert set(np.unique(out)) == {0.0, np.float32(1 / 0.75)}
