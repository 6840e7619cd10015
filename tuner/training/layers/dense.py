"""`keras.layers.Dense` for N networks: one batched matrix product, no transposes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tuner.planning.layers import Dense
from tuner.planning.plan import ModelPlan
from tuner.planning.seeds import purpose_key, splitmix64, stream
from tuner.training.layers.batch_sum import batch_sum, upstream_of
from tuner.training.layers.by_rows import he_plus_5, unit_variance
from tuner.training.layers.stacked import StackedLayer


class StackedDense(StackedLayer):
    """`outputs[n] = inputs[n] @ kernel[n] + bias[n]`.

    In the neural tangent parametrization (Jacot et al. 2018) `inputs[n] @ kernel[n] / sqrt(inputs)
    + bias[n]`: the kernel begins sqrt(inputs) times as large, and a rate moves layers of any width
    alike. Shapes: kernel `(N, inputs, outputs)`, bias `(N, 1, outputs)`.
    """

    def call(self, inputs: Any) -> Any:
        sums = ops.matmul(inputs, self.kernel)
        if self.layer.ntk:
            sums = sums * self.layer.inputs**-0.5
        return add_bias(sums, ops.convert_to_tensor(self.bias))

    @staticmethod
    def first_weights(
        layer: Dense, model: ModelPlan, seed: int, rows: NDArray[np.float32] | None
    ) -> list[NDArray[np.float32]]:
        """The kernel by its initializer; biases are zeros, as in Keras, if they have none."""
        initializer = kernel_initializer(model.initializer, kernel_seed(seed, layer.place))
        kernel = np.asarray(initializer((layer.inputs, layer.outputs)), np.float32)
        bias = np.zeros(layer.outputs, np.float32)
        if rows is not None:
            sums = np.asarray(ops.matmul(rows, kernel))
            if model.initializer == "unit_variance":
                kernel, sums = unit_variance(kernel, sums)
            if model.bias_initializer == "he+5":
                bias = he_plus_5(sums, stream(seed, "bias", layer.place))
        return [kernel * np.float32(layer.inputs**0.5) if layer.ntk else kernel, bias]

    @staticmethod
    def as_plain(layer: Dense, weights: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        kernel, bias = weights
        return [kernel * np.float32(layer.inputs**-0.5) if layer.ntk else kernel, bias]

    @staticmethod
    def plain(layer: Dense, model: ModelPlan) -> Any:
        # A penalty is on the kernel that trains.
        wide = layer.inputs if layer.ntk else 1
        return keras.layers.Dense(
            layer.outputs,
            kernel_initializer="lecun_normal"
            if model.initializer == "unit_variance"
            else model.initializer,
            kernel_regularizer=keras.regularizers.L1L2(model.l1 * wide**0.5, model.l2 * wide)
            if layer.penalized
            else None,
            name=layer.name,
        )


def kernel_initializer(name: str, seed: int) -> Any:
    """Keras's initializer `name`, `seed` if it draws random numbers; for `unit_variance`, which
    goes on from them, standard normal numbers."""
    if name == "unit_variance":
        return keras.initializers.RandomNormal(0.0, 1.0, seed)
    initializer = keras.initializers.get(name)
    config = initializer.get_config()
    if "seed" not in config:
        return initializer
    return type(initializer)(**{**config, "seed": seed})


def kernel_seed(seed: int, place: int) -> int:
    """The seed (31 bits) of a Dense layer's kernel in the network with `seed`."""
    return splitmix64(splitmix64(seed) ^ purpose_key("kernel") ^ place) & 0x7FFFFFFF


@ops.custom_gradient
def add_bias(x: Any, bias: Any) -> Any:
    """`x + bias`, whose gradient for the bias is a `batch_sum`."""

    def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
        upstream = upstream_of(arguments, upstream)
        return upstream, batch_sum(upstream)

    return x + bias, gradient
