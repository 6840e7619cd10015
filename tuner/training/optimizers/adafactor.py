"""Adafactor: Shazeer and Stern, Adaptive Learning Rates with Sublinear Memory Cost, 2018, arXiv
1804.04235."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tuner.training.optimizers.per_network import PerNetwork, is_matrix


class StackedAdafactor(PerNetwork, keras.optimizers.Adafactor):
    """Update rule of `keras.optimizers.Adafactor`, t being a network's number of steps, and means
    and root mean squares (rms) those of one network's weight:

        beta_2 = 1 - t^beta_2_decay
        s = g^2 + epsilon_1
        r = beta_2 * r + (1 - beta_2) * mean of s over a row      (kernels)
        c = beta_2 * c + (1 - beta_2) * mean of s over a column   (kernels)
        v = r * c / mean(r); of other weights beta_2 * v + (1 - beta_2) * s
        u = g / sqrt(v)
        alpha = max(epsilon_2, rms(w)) * min(learning_rate, 1 / sqrt(t))
        w = w - alpha * u / max(1, rms(u) / clip_threshold)

    A kernel's v is made from r and c in every step, so none is kept.
    """

    def build(self, variables: list[Any]) -> None:
        # Keras's own `build` would make variables of ranks that a stack cannot gate by network.
        super(keras.optimizers.Adafactor, self).build(variables)
        self._means = []
        for variable in variables:
            networks, rows, columns = variable.shape
            shapes = [(networks, rows, 1), (networks, 1, columns)]
            self._means.append(
                [
                    self.add_variable(shape, dtype=variable.dtype, name="mean_of_squares")
                    for shape in (shapes if is_matrix(variable) else [variable.shape])
                ]
            )

    def use(self, settings: Mapping[str, Any], rate: Any) -> None:
        super().use(settings, rate)
        # In float64, as the powers of `remaining`.
        step = ops.cast(self.iterations + 1, "float64")
        power = ops.power(step, ops.cast(self.beta_2_decay, "float64"))
        self._share = ops.cast(power, "float32")
        self._slowest = ops.cast(1.0 / ops.sqrt(step), "float32")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        means = self._means[self._get_variable_index(variable)]
        squares = ops.square(gradient) + self.epsilon_1
        for mean, axis in zip(means, (2, 1) if len(means) == 2 else (None,), strict=True):
            value = squares if axis is None else ops.mean(squares, axis=axis, keepdims=True)
            self.assign(mean, (1.0 - self._share) * mean + self._share * value)
        v = means[0]
        if len(means) == 2:
            v = means[0] / ops.mean(means[0], axis=1, keepdims=True) * means[1]
        update = gradient / ops.sqrt(v)
        cut = ops.maximum(1.0, _rms(update) / self.clip_threshold)
        rho = ops.minimum(self.rate_of(variable), self._slowest)
        alpha = ops.maximum(self.epsilon_2, _rms(variable)) * rho
        self.assign_sub(variable, alpha * (update / cut))


def _rms(values: Any) -> Any:
    return ops.sqrt(ops.mean(ops.square(values), axis=(1, 2), keepdims=True))
