"""LAMB: You et al., Large Batch Optimization for Deep Learning, 2019, arXiv 1904.00962."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tuner.training.optimizers.per_network import PerNetwork, norm, remaining


class StackedLamb(PerNetwork, keras.optimizers.Lamb):
    """Update rule of `keras.optimizers.Lamb`, t being a network's number of steps and norms those
    of one network's weight:

        m = m + (g - m) * (1 - beta_1)
        v = v + (g^2 - v) * (1 - beta_2)
        u = (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)
        w = w - learning_rate * u * |w| / |u|                    (a norm of 0: without the ratio)
    """

    def use(self, settings: Mapping[str, Any], rate: Any) -> None:
        super().use(settings, rate)
        self._left = [
            ops.cast(remaining(beta, self.iterations), "float32")
            for beta in (self.beta_1, self.beta_2)
        ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign_add(m, (gradient - m) * (1.0 - self.beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1.0 - self.beta_2))
        left_1, left_2 = self._left
        update = (m / left_1) / (ops.sqrt(v / left_2) + self.epsilon)
        of_weight, of_update = norm(variable), norm(update)
        known = ops.logical_and(of_weight > 0, of_update > 0)
        ratio = ops.where(known, of_weight / of_update, 1.0)
        self.assign_sub(variable, ratio * self.rate_of(variable) * update)
