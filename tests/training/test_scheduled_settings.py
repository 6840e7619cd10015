"""Dropout, weight decay and label smoothing that change over the training, against a plain Keras
model and optimizer whose numbers are set by hand before every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support import plain_keras, problems
from tuner.data.dataset import Dataset, Fold
from tuner.planning import TrainingPlan, epoch_order
from tuner.planning.layers import Dropout
from tuner.training import Trainer
from tuner.training.kind import StackShape, fused_update
from tuner.training.layers import InStack
from tuner.training.layers.dropout import DropoutClock, StackedDropout
from tuner.training.scheduled import ScheduledSettings
from tuner.training.stack import NetworkStack
from tuner.training.stack_cache import STACKS

#: Of the share of the training that has passed.
FACTORS: dict[str, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "polynomial": lambda t: 1 - t,
    "cosine": lambda t: (1 + np.cos(np.pi * t)) / 2,
    "flat_cosine": lambda t: (1 + np.cos(np.pi * (max(1, 2 * t) - 1))) / 2,
    "coslog4": lambda t: (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t))) / 2,
}
SETTINGS: dict[str, Any] = {
    "optimizer": "adamw",
    "optimizer.learning_rate": 0.01,
    "optimizer.weight_decay": 0.5,
    "model.dropout": 0.4,
    "loss.label_smoothing": 0.3,
    "epochs": 4,
}
FIRST = {
    "optimizer.weight_decay_schedule": "flat_cosine",
    "model.dropout_schedule": "cosine",
    "loss.label_smoothing_schedule": "coslog4",
}
SECOND = {
    "optimizer.weight_decay": 0.2,
    "optimizer.weight_decay_schedule": "coslog4",
    "model.dropout": 0.2,
    "model.dropout_schedule": "flat_cosine",
    "loss.label_smoothing": 0.1,
    "loss.label_smoothing_schedule": "polynomial",
    "epochs": 3,
}


def kept(seed: int, rate: float, step: int, rows: int, units: int) -> np.ndarray:
    """The mask that a network of this seed draws at a rate that never changes, and its scale."""
    clock = DropoutClock()
    for name, value in DropoutClock.settings([seed], [rate]).items():
        setattr(clock, name, value)
    clock.step = np.full((1, 1, 1), step, np.int32)
    own = Dropout(name="dropout", inputs=units, outputs=units, place=0)
    layer = StackedDropout(own, InStack(1, None, clock))
    return np.asarray(layer.kept(rows, units))[0] / (1 - rate)


def by_hand(
    plan: TrainingPlan, params: dict[str, Any], data: Dataset, fold: Fold, seed: int
) -> tuple[list[np.ndarray], list[float], float]:
    """Weights, the training loss of each epoch, and the last validation loss."""
    model = plain_keras.build(plan, data.task)
    model.set_weights(plain_keras.network_weights(plan.model, seed))
    optimizer = keras.optimizers.AdamW(plan.schedule.learning_rate)
    y = plain_keras.targets(data, plan)
    steps = -(-len(fold.train) // plan.batch_size)

    def at(setting: str, step: int) -> float:
        kind = params.get(f"{setting}_schedule", "constant")
        return float(params[setting] * FACTORS[kind](step / (steps * plan.epochs)))

    losses = []
    for epoch in range(plan.epochs):
        rows, total = fold.train[epoch_order(seed, epoch, len(fold.train))], 0.0
        for i in range(steps):
            step, batch = epoch * steps + i, rows[i * plan.batch_size :][: plan.batch_size]
            loss = keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=at("loss.label_smoothing", step)
            )
            optimizer.weight_decay = at("optimizer.weight_decay", step)
            mask = kept(seed, at("model.dropout", step), step, plan.batch_size, plan.model.units[0])
            with tf.GradientTape() as tape:
                *_, hidden, active, last = model.layers
                answered = last(active(hidden(data.x[batch])) * mask[: len(batch)])
                value = loss(y[batch], answered)
            optimizer.apply(tape.gradient(value, model.trainable_weights), model.trainable_weights)
            total += float(value) * len(batch)
        losses.append(total / len(rows))
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=params["loss.label_smoothing"]
    )
    validated = float(loss(y[fold.validation], model(data.x[fold.validation], training=False)))
    return model.get_weights(), losses, validated


def check(candidates: list[dict[str, Any]], rows: tuple[int, ...]) -> None:
    data, folds, seeds = problems.dataset(), problems.folds(*rows), problems.seeds(len(rows))
    plans = [problems.plan(**params) for params in candidates]
    trainer = Trainer(data, folds, scaling="none")
    for params, plan, scores in zip(
        candidates, plans, trainer.train(plans, [seeds] * len(plans), weights=True), strict=True
    ):
        for i, (fold, seed) in enumerate(zip(folds, seeds, strict=True)):
            weights, losses, validated = by_hand(plan, params, data, fold, seed)
            assert scores.weights is not None
            for own, other in zip(scores.weights[i], weights, strict=True):
                np.testing.assert_allclose(own, other, atol=1e-5, rtol=0)
            np.testing.assert_allclose(
                scores.train["loss"][: plan.epochs, i], losses, rtol=2e-5, atol=1e-6
            )
            # Smoothed by the plain value throughout, so that epochs compare.
            own_loss = scores.validation["loss"][plan.epochs - 1, i]
            np.testing.assert_allclose(own_loss, validated, rtol=2e-5)


@pytest.mark.slow
def test_two_networks_of_one_stack_follow_their_own_schedules() -> None:
    """On folds of 3, 5 and 4 steps an epoch, and for 4 and 3 epochs."""
    check([{**SETTINGS, **FIRST}, {**SETTINGS, **SECOND}], (33, 70, 64))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(4))
def test_each_may_change_while_the_others_stay(number: int) -> None:
    only = dict([[*FIRST.items()][number]]) if number < 3 else {}
    check([{**SETTINGS, **only}, {**SETTINGS, **dict.fromkeys(only, "cosine")}], (33, 64))


@pytest.mark.slow
def test_networks_that_one_kernel_updates_decay_by_their_schedule() -> None:
    params = {**SETTINGS, **FIRST}
    assert fused_update([problems.plan(**params)] * 2, [3, 3]) is not None
    check([params], (40, 38))


@pytest.mark.slow
def test_compiled_they_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.training.kind.COMPILED_STEPS", 0)
    check([{**SETTINGS, **FIRST}, {**SETTINGS, **SECOND}], (33, 70))


@pytest.mark.slow
def test_what_follows_no_schedule_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph of a stack whose settings stay is given no table, whatever was trained before."""
    plain = problems.plan(**SETTINGS)
    named = dict.fromkeys(FIRST, "constant")
    assert problems.plan(**SETTINGS, **named) == plain
    off = {"model.dropout": 0.0, "loss.label_smoothing": 0.0, "optimizer.weight_decay": 0.0}
    assert problems.plan(**{**SETTINGS, **FIRST, **off}).scheduled == ()
    assert StackShape.of(plain, "multiclass").scheduled == ()
    assert StackShape.of(problems.plan(**SETTINGS, **FIRST), "multiclass").scheduled == (
        "dropout",
        "label_smoothing",
        "weight_decay",
    )
    empty = ScheduledSettings([plain, plain], [3, 4]).tables(np.array([True, True]), 0, 4)
    assert empty == ({}, {}, {})
    seen: list[set[str]] = []
    run = NetworkStack.run_epoch

    def looked_at(self: NetworkStack, *arguments: Any) -> Any:
        result = run(self, *arguments)
        names = self._graph._concrete.structured_input_signature[0][5]
        seen.append({name for part in names for name in part})
        return result

    monkeypatch.setattr(NetworkStack, "run_epoch", looked_at)
    STACKS.clear()
    trainer = Trainer(problems.dataset(), problems.folds(33), scaling="none")
    curves = []
    for own in ({}, {"model.dropout_schedule": "cosine"}, {}):
        plan = problems.plan(**{**SETTINGS, **own, "epochs": 1})
        [scores] = trainer.train([plan], [problems.seeds(1)])
        curves.append(scores.train["loss"].tolist())
    assert seen == [set(), {"threshold", "scale"}, set()]
    assert curves[0] == curves[2] != curves[1]
