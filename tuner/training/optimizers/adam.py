"""Adam and AdamW, whose bias corrections are worked out once a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tuner.training.optimizers.fused import handle
from tuner.training.optimizers.per_network import PerNetwork


class StackedAdam(PerNetwork, keras.optimizers.Adam):
    """Update rule of `keras.optimizers.Adam`, t being a network's number of steps:

        alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)
        m = m + (g - m) * (1 - beta_1)
        v = v + (g^2 - v) * (1 - beta_2)
        w = w - m * alpha / (sqrt(v) + epsilon)                  (amsgrad: the largest v so far)

    Keras works alpha out for every variable again. Its powers are taken in float64: in float32
    their last bit depends on a network's place in the stack, and the bits of its weights with it.
    Networks that are alike take TensorFlow's kernel of the same formula, given alpha as its rate.
    """

    def use(self, settings: Mapping[str, Any], rate: Any) -> None:
        super().use(settings, rate)
        step = ops.cast(self.iterations + 1, "float64")
        remaining = [
            1.0 - ops.power(ops.cast(beta, "float64"), step) for beta in (self.beta_1, self.beta_2)
        ]
        correction = ops.cast(ops.sqrt(remaining[1]) / remaining[0], "float32")
        self._alpha = rate * correction
        if self.fused is not None:
            self._scalars = {
                "lr": ops.max(self._alpha),
                "beta1": ops.max(self.beta_1),
                "beta2": ops.max(self.beta_2),
                "epsilon": ops.max(self.epsilon),
                # No correction besides alpha's.
                "beta1_power": 0.0,
                "beta2_power": 0.0,
            }
        self._left = (1.0 - self.beta_1, 1.0 - self.beta_2)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        if self.fused is not None:
            # Here, because the formula needs Keras alone, whatever it runs on.
            import tensorflow as tf

            tf.raw_ops.ResourceApplyAdam(
                var=handle(variable), m=handle(m), v=handle(v), grad=gradient, **self._scalars
            )
            return
        left_1, left_2 = self._left
        self.assign_add(m, (gradient - m) * left_1)
        self.assign_add(v, (ops.square(gradient) - v) * left_2)
        if self.amsgrad:
            largest = self._velocity_hats[index]
            self.assign(largest, ops.maximum(largest, v))
            v = largest
        move = m * self._alpha / (ops.sqrt(v) + self.epsilon)
        self.assign_sub(variable, move)


class StackedAdamW(StackedAdam, keras.optimizers.AdamW):
    """`keras.optimizers.AdamW` over a stack."""
