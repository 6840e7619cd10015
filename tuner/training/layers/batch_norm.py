"""`keras.layers.BatchNormalization` for N networks, padding rows left out of the moments."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tuner.planning.layers import BatchNormalization
from tuner.planning.plan import ModelPlan
from tuner.training.layers.stacked import StackedLayer


class StackedBatchNormalization(StackedLayer):
    """`gamma[n] * (x - mean) / sqrt(variance + epsilon) + beta[n]`, as Keras's own layer.

    Training takes mean and (biased) variance of each network's own rows of the batch, and moves
    `moving = moving * momentum + batch_value * (1 - momentum)`; inference uses the moving values.

    Each weight is `(N, 1, units)`. A network with no rows in a step yields moments of zero rows;
    whoever runs that step must restore its weights and moving values.
    """

    momentum, epsilon = 0.99, 1e-3  # Keras's

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        if training:
            mean, variance = self._moments(inputs, mask)
            for moving, value in (
                (self.moving_mean, mean),
                (self.moving_variance, variance),
            ):
                moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        scale = self.gamma * ops.rsqrt(variance + self.epsilon)
        return inputs * scale + (self.beta - mean * scale)

    @staticmethod
    def _moments(inputs: Any, mask: Any) -> tuple[Any, Any]:
        if mask is None:
            mean = ops.mean(inputs, axis=1, keepdims=True)
            return mean, ops.mean(ops.square(inputs - mean), axis=1, keepdims=True)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        rows = ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1.0)
        mean = ops.sum(inputs * weights, axis=1, keepdims=True) / rows
        squares = ops.square(inputs - mean) * weights
        return mean, ops.sum(squares, axis=1, keepdims=True) / rows

    @staticmethod
    def first_weights(
        layer: BatchNormalization, model: ModelPlan, seed: int, rows: Any
    ) -> list[NDArray[np.float32]]:
        ones, zeros = np.ones(layer.outputs, np.float32), np.zeros(layer.outputs, np.float32)
        return [ones, zeros, zeros, ones]

    @staticmethod
    def plain(layer: BatchNormalization, model: ModelPlan) -> Any:
        return keras.layers.BatchNormalization(name=layer.name)
