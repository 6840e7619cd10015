"""Keras's optimizers whose update rules need another form in a stack.

TensorFlow's own kernels for SGD and Adam pass over weights, gradient and state once, where the
terms of a formula pass over them a dozen times; they take their settings as scalars, so networks
that are alike are updated by them (`tuner.training.kind.fused_update`). Both round alike: a
network's weights are the same to the last bit whichever updated them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from tuner.training.optimizers.per_network import PerNetwork, remaining


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
        if self.fused is None:
            self._along = ops.where(self.nesterov > 0.0, self.momentum, 1.0)

    def terms(self, rate: Any) -> Any:
        """The kernel's scalars, or the rate and `nesterov * rate`."""
        if self.fused is not None:
            return {"lr": ops.max(rate), "momentum": ops.max(self.momentum)}
        return rate, self.nesterov * rate

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.momentums[self._get_variable_index(variable)]
        terms = self.terms_of(variable)
        if self.fused is not None:
            _kernels().ResourceApplyKerasMomentum(
                var=_handle(variable),
                accum=_handle(velocity),
                grad=gradient,
                use_nesterov=self.fused.nesterov,
                **terms,
            )
            return
        rate, ahead = terms
        moved = self.momentum * velocity - rate * gradient
        self.assign(velocity, moved)
        self.assign_add(variable, self._along * moved - ahead * gradient)


class StackedRMSprop(PerNetwork, keras.optimizers.RMSprop):
    """Update rule of `keras.optimizers.RMSprop`, written so that 0 momentum needs no branch:

    velocity = rho * velocity + (1 - rho) * g^2
    average = rho * average + (1 - rho) * g                  (centered only)
    momentum_ = momentum * momentum_ + learning_rate * g / sqrt(velocity [- average^2] + epsilon)
    w = w - momentum_
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        rate = self.rate_of(variable)
        velocity = self._velocities[index]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * ops.square(gradient))
        denominator = velocity + self.epsilon
        if self.centered:
            average = self._average_gradients[index]
            self.assign(average, self.rho * average + (1 - self.rho) * gradient)
            denominator = velocity - ops.square(average) + self.epsilon
        momentum = self._momentums[index]
        increment = rate * gradient / ops.sqrt(denominator)
        self.assign(momentum, self.momentum * momentum + increment)
        self.assign_sub(variable, momentum)


class StackedAdam(PerNetwork, keras.optimizers.Adam):
    """Update rule of `keras.optimizers.Adam`, t being a network's number of steps:

        alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)
        m = m + (g - m) * (1 - beta_1)
        v = v + (g^2 - v) * (1 - beta_2)
        w = w - m * alpha / (sqrt(v) + epsilon)                  (amsgrad: the largest v so far)

    Keras works alpha out for every variable again.
    Networks that are alike take TensorFlow's kernel of the same formula, given alpha as its rate.
    """

    def use(self, settings: Mapping[str, Any], rate: Any) -> None:
        left = [remaining(settings[beta], self.iterations) for beta in ("beta_1", "beta_2")]
        self._correction = ops.cast(ops.sqrt(left[1]) / left[0], "float32")
        self._left = (1.0 - settings["beta_1"], 1.0 - settings["beta_2"])
        super().use(settings, rate)

    def terms(self, rate: Any) -> Any:
        """The kernel's scalars, or alpha."""
        alpha = rate * self._correction
        if self.fused is None:
            return alpha
        return {
            "lr": ops.max(alpha),
            "beta1": ops.max(self.beta_1),
            "beta2": ops.max(self.beta_2),
            "epsilon": ops.max(self.epsilon),
        }

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        terms = self.terms_of(variable)
        if self.fused is not None:
            _kernels().ResourceApplyAdam(
                var=_handle(variable),
                m=_handle(m),
                v=_handle(v),
                beta1_power=0.0,  # no correction besides alpha's
                beta2_power=0.0,
                grad=gradient,
                **terms,
            )
            return
        left_1, left_2 = self._left
        self.assign_add(m, (gradient - m) * left_1)
        self.assign_add(v, (ops.square(gradient) - v) * left_2)
        if self.amsgrad:
            largest = self._velocity_hats[index]
            self.assign(largest, ops.maximum(largest, v))
            v = largest
        move = m * terms / (ops.sqrt(v) + self.epsilon)
        self.assign_sub(variable, move)


class StackedAdamW(StackedAdam, keras.optimizers.AdamW):
    """`keras.optimizers.AdamW` over a stack."""


class StackedNadam(PerNetwork, keras.optimizers.Nadam):
    """`keras.optimizers.Nadam` with `_u_product` of shape `(N, 1, 1)`."""

    def build(self, variables: list[Any]) -> None:
        super().build(variables)
        self._untrack_variable(self._u_product)  # type: ignore[has-type]
        self._tracker.unlock()
        self._u_product = keras.Variable(
            np.ones((self.networks, 1, 1), np.float32), trainable=False, name="u_product"
        )
        self._tracker.lock()


def _kernels() -> Any:
    """TensorFlow's kernels; imported here, because the formulas need Keras alone, whatever it runs
    on."""
    import tensorflow as tf

    return tf.raw_ops


def _handle(variable: Any) -> Any:
    """What TensorFlow's kernels write to. Keras hands its optimizers the `tf.Variable` within a
    trainable variable, and its own variable for a slot."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
