"""Averaged weights against plain Keras: its `SwapEMAWeights`, and the mean over epochs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tests.support import plain_keras, problems
from tuner.planning import TrainingPlan, epoch_order
from tuner.training import Trainer
from tuner.training.initial_weights import network_weights
from tuner.training.stack import NetworkStack


def trained_by_keras(plan: TrainingPlan, fold: Any, seed: int) -> list[list[np.ndarray]]:
    """The weights after each epoch; with `SwapEMAWeights` those that it puts in place."""
    data, averaging = problems.dataset(), plan.averaging
    model = plain_keras.build(plan, "multiclass")
    model.set_weights(network_weights(plan.model, seed))
    ema = {}
    if averaging.kind == "ema":
        every = averaging.ema_overwrite_frequency
        ema = {"use_ema": True, "ema_momentum": averaging.ema_momentum}
        ema |= {"ema_overwrite_frequency": every}
    rate = plan.schedule.learning_rate
    optimizer = keras.optimizers.SGD(rate, **dict(plan.optimizer.settings), **ema)
    model.compile(optimizer=optimizer, loss=plain_keras.loss_of(plan), run_eagerly=True)
    optimizer.build(model.trainable_variables)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    swap.set_model(model)
    swap.set_params({"epochs": plan.epochs + 1})
    after = []
    for epoch in range(plan.epochs):
        if ema:
            swap.on_epoch_begin(epoch)
        rows = fold.train[epoch_order(seed, epoch, len(fold.train))]
        for start in range(0, len(rows), plan.batch_size):
            batch = rows[start : start + plan.batch_size]
            model.train_on_batch(data.x[batch], data.y[batch])
        if ema:
            swap.on_epoch_end(epoch)
        after.append(model.get_weights())
    return after


def averaged(plan: TrainingPlan, after: list[list[np.ndarray]], epoch: int) -> list[np.ndarray]:
    """The weights that are shown after `epoch` (from 1)."""
    if plan.averaging.kind == "ema":
        return after[epoch - 1]
    first = int(plan.averaging.swa_start * plan.epochs) + 1
    counted = after[min(first, epoch) - 1 : epoch]
    shown = [np.mean(each, axis=0) for each in zip(*counted, strict=True)]
    if plan.model.batch_norm:  # moving statistics are those of the last epoch
        shown[4:6] = after[epoch - 1][4:6]
    return shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("ema", ({"ema_momentum": 0.8}, {"ema_momentum": 0.5, "ema_overwrite_frequency": 3})),
        ("swa", ({"swa_start": 0.5}, {"swa_start": 0.0})),
    ],
)
def test_what_is_shown_after_every_epoch_is_kerass_average(kind: str, settings: tuple) -> None:
    """Two candidates in a stack, on folds that differ in their number of steps."""
    data, folds, seeds = problems.dataset(), problems.folds(33, 48), problems.seeds(2)
    shared = {"optimizer": "sgd", "optimizer__momentum": 0.9, "optimizer__learning_rate": 0.05}
    plans = [
        problems.plan(
            epochs=4, model__batch_norm=True, weight_averaging=kind, **shared,
            **{f"weight_averaging__{name}": value for name, value in own.items()},
        )
        for own in settings
    ]  # fmt: skip
    trainer = Trainer(data, folds, scaling="none")
    trained = trainer.train(plans, [seeds] * 2, weights=True, snapshots=[range(1, 4)] * 2)
    for plan, scores in zip(plans, trained, strict=True):
        for i, (fold, seed) in enumerate(zip(folds, seeds, strict=True)):
            after = trained_by_keras(plan, fold, seed)
            for epoch in range(1, 5):
                shown = averaged(plan, after, epoch)
                kept = scores.weights[i] if epoch == 4 else scores.snapshots[epoch][i]
                for ours, theirs in zip(kept, shown, strict=True):
                    np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=0)
                model = plain_keras.build(plan, "multiclass")
                model.set_weights(shown)
                answers = model(data.x[fold.validation], training=False)
                loss = float(plain_keras.loss_of(plan)(data.y[fold.validation], answers))
                assert scores.validation["loss"][epoch - 1, i] == pytest.approx(loss, rel=2e-5)


def test_networks_without_an_average_have_no_variables_for_one(monkeypatch) -> None:
    seen = []
    run = NetworkStack.run_epoch

    def looked_at(self: NetworkStack, *more: Any) -> Any:
        seen.append((self.average is None, len(self.get_state())))
        return run(self, *more)

    monkeypatch.setattr(NetworkStack, "run_epoch", looked_at)
    trainer, weights = Trainer(problems.dataset(), problems.folds(33)), []
    for kind in ("none", "swa"):
        plan = problems.plan(epochs=1, weight_averaging=kind)
        [scores] = trainer.train([plan], [problems.seeds(1)], weights=True)
        weights.append(scores.weights[0])
    (without, fewer), (averaged_one, more) = seen
    assert without
    assert not averaged_one
    # A kernel and a bias of two layers, and the count of epochs.
    assert more == fewer + 5
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
