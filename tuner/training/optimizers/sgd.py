"""SGD whose momentum and Nesterov switch are data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from tuner.training.optimizers.per_network import PerNetwork


class StackedSGD(PerNetwork, keras.optimizers.SGD):
    """Update rule of `keras.optimizers.SGD`, written so that 0 momentum needs no branch:

        velocity = momentum * velocity - learning_rate * g
        w = w + velocity                                         (nesterov = 0)
        w = w + momentum * velocity - learning_rate * g          (nesterov = 1)

    Without momentum both are `w - learning_rate * g`. Both lines of `w` are one here,
    `w + (1 + nesterov * (momentum - 1)) * velocity - nesterov * learning_rate * g`, whose factors
    are one number a network: as few passes over the weights as there can be.
    """

    def build(self, variables: list[Any]) -> None:
        if self.built:
            return
        # Keras makes velocities only for a momentum other than 0.
        self.momentum = 1.0
        super().build(variables)

    def use(self, settings: Mapping[str, Any], rate: Any) -> None:
        super().use(settings, rate)
        self._along = 1.0 + self.nesterov * (self.momentum - 1.0)
        self._ahead = self.nesterov * rate

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.momentums[self._get_variable_index(variable)]
        moved = self.momentum * velocity - learning_rate * gradient
        self.assign(velocity, moved)
        self.assign_add(variable, self._along * moved - self._ahead * gradient)
