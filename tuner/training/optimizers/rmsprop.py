"""RMSprop whose momentum is data."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tuner.training.optimizers.per_network import PerNetwork


class StackedRMSprop(PerNetwork, keras.optimizers.RMSprop):
    """Update rule of `keras.optimizers.RMSprop`, written so that 0 momentum needs no branch:

    velocity = rho * velocity + (1 - rho) * g^2
    average = rho * average + (1 - rho) * g                  (centered only)
    momentum_ = momentum * momentum_ + learning_rate * g / sqrt(velocity [- average^2] + epsilon)
    w = w - momentum_
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        velocity = self._velocities[index]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * ops.square(gradient))
        denominator = velocity + self.epsilon
        if self.centered:
            average = self._average_gradients[index]
            self.assign(average, self.rho * average + (1 - self.rho) * gradient)
            denominator = velocity - ops.square(average) + self.epsilon
        momentum = self._momentums[index]
        increment = learning_rate * gradient / ops.sqrt(denominator)
        self.assign(momentum, self.momentum * momentum + increment)
        self.assign_sub(variable, momentum)
