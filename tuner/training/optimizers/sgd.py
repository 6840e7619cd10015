"""SGD whose momentum and Nesterov switch are data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tuner.training.optimizers.fused import handle
from tuner.training.optimizers.per_network import PerNetwork


class StackedSGD(PerNetwork, keras.optimizers.SGD):
    """Update rule of `keras.optimizers.SGD`, written so that 0 momentum needs no branch:

        velocity = momentum * velocity - learning_rate * g
        w = w + velocity                                         (nesterov = 0)
        w = w + momentum * velocity - learning_rate * g          (nesterov = 1)

    Without momentum both are `w - learning_rate * g`. Both lines of `w` are one here,
    `w + along * velocity - nesterov * learning_rate * g` with momentum or 1 for `along`, factors
    that are one number a network. Networks that are alike take TensorFlow's kernel of the same
    formula.
    """

    def use(self, settings: Mapping[str, Any], rate: Any) -> None:
        super().use(settings, rate)
        if self.fused is not None:
            self._scalars = {
                "lr": ops.max(rate),
                "momentum": ops.max(self.momentum),
                "use_nesterov": self.fused.nesterov,
            }
            return
        self._along = ops.where(self.nesterov > 0.0, self.momentum, 1.0)
        self._ahead = self.nesterov * rate

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.momentums[self._get_variable_index(variable)]
        if self.fused is not None:
            # Here, because the formula needs Keras alone, whatever it runs on.
            import tensorflow as tf

            tf.raw_ops.ResourceApplyKerasMomentum(
                var=handle(variable), accum=handle(velocity), grad=gradient, **self._scalars
            )
            return
        moved = self.momentum * velocity - learning_rate * gradient
        self.assign(velocity, moved)
        self.assign_add(variable, self._along * moved - self._ahead * gradient)
