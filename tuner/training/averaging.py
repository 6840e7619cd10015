"""Averages of the networks' weights: what is validated, kept and exported in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tuner.planning.plan import TrainingPlan


class WeightAverage:
    """One average of each trained weight of each network, by one of these rules:

        ema  after a step: average = momentum * average + (1 - momentum) * weight, the first one
             the weight itself; after every `ema_overwrite_frequency` steps weight = average. As
             Keras's optimizers with `use_ema`, validated by `SwapEMAWeights`.
        swa  after an epoch: the mean of the weights after this epoch and after those before it
             from the first counted one on; before that the weight itself. Izmailov et al.,
             Averaging Weights Leads to Wider Optima and Better Generalization, 2018, arXiv
             1803.05407, without its last pass that makes batch normalization's statistics anew.

    Batch normalization's moving statistics are not averaged: they stay those of the weights that
    train, as in Keras.

    Args:
        kind: `ema` or `swa`.
        weights: `tf.Variable` objects `(N, ...)`.

    Attributes:
        averages: as `weights`.
        variables: all that a later epoch depends on.
    """

    def __init__(self, kind: str, weights: Sequence[Any]) -> None:
        self._kind = kind
        self._weights = list(weights)
        self.averages = [tf.Variable(tf.zeros_like(own), trainable=False) for own in weights]
        networks = weights[0].shape[0]
        self._epochs = tf.Variable(np.zeros((networks, 1, 1), np.int32), trainable=False)
        self.variables = [*self.averages, self._epochs]

    @staticmethod
    def settings(plans: Sequence[TrainingPlan]) -> dict[str, NDArray[np.float32]]:
        """Of networks that train as `plans`, all of them averaged: `(N, 1, 1)` by name."""
        found = [plan.averaging for plan in plans if plan.averaging is not None]
        columns = {
            "ema_momentum": [own.ema_momentum for own in found],
            "ema_overwrite_frequency": [own.ema_overwrite_frequency or 0 for own in found],
            "swa_start": [
                int(own.swa_start * plan.epochs) for own, plan in zip(found, plans, strict=True)
            ],
        }
        return {
            name: np.array(values, np.float32).reshape(-1, 1, 1) for name, values in columns.items()
        }

    def reset(self) -> None:
        """Begin anew with the present weights."""
        self._epochs.assign(tf.zeros_like(self._epochs))
        for average, weight in zip(self.averages, self._weights, strict=True):
            average.assign(weight)

    def after_step(self, settings: Mapping[str, Any], steps: Any) -> None:
        """`steps` `(N, 1, 1)`: how many each network has made."""
        if self._kind != "ema":
            return
        steps = tf.cast(steps, tf.float32)
        momentum = tf.where(steps > 1.0, settings["ema_momentum"], 0.0)
        every = settings["ema_overwrite_frequency"]
        due = (every > 0.0) & (tf.math.floormod(steps, tf.maximum(every, 1.0)) == 0.0)
        self._move(momentum)
        for average, weight in zip(self.averages, self._weights, strict=True):
            weight.assign(tf.where(due, average, weight))

    def after_epoch(self, settings: Mapping[str, Any]) -> None:
        """Every network has made its steps of an epoch."""
        if self._kind != "swa":
            return
        self._epochs.assign_add(tf.ones_like(self._epochs))
        # In float64: a quotient's last bit depends on a network's place in the stack otherwise.
        counted = tf.cast(self._epochs, tf.float64) - tf.cast(settings["swa_start"], tf.float64)
        before = tf.maximum(counted - 1.0, 0.0)
        self._move(tf.cast(before / (before + 1.0), tf.float32))

    def _move(self, share: Any) -> None:
        for average, weight in zip(self.averages, self._weights, strict=True):
            average.assign(share * average + (1.0 - share) * weight)

    def swap_in(self) -> list[Any]:
        """Make the weights their averages; returns what they were, for `swap_out`."""
        before = [tf.identity(weight) for weight in self._weights]
        with tf.control_dependencies(before):
            for average, weight in zip(self.averages, self._weights, strict=True):
                weight.assign(average)
        return before

    def swap_out(self, before: Sequence[Any]) -> None:
        for weight, own in zip(self._weights, before, strict=True):
            weight.assign(own)


@contextmanager
def averages_in_place(average: WeightAverage | None, settings: Mapping[str, Any]) -> Iterator[None]:
    """While tracing the end of an epoch: within the block the weights are their averages, if there
    are any."""
    if average is None:
        yield
        return
    average.after_epoch(settings)
    before = average.swap_in()
    yield
    average.swap_out(before)
