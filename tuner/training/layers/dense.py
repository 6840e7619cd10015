"""`keras.layers.Dense` for N networks: one batched matrix product, no transposes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tuner.planning.layers import Dense
from tuner.planning.plan import ModelPlan
from tuner.planning.seeds import purpose_key, splitmix64
from tuner.training.layers.stacked import StackedLayer


class StackedDense(StackedLayer):
    """`outputs[n] = inputs[n] @ kernel[n] + bias[n]`.

    Shapes: kernel `(N, inputs, outputs)`, bias `(N, 1, outputs)`.
    """

    def call(self, inputs: Any) -> Any:
        return add_bias(ops.matmul(inputs, self.kernel), ops.convert_to_tensor(self.bias))

    @staticmethod
    def first_weights(layer: Dense, model: ModelPlan, seed: int) -> list[NDArray[np.float32]]:
        """The kernel by Keras's initializer; biases are zeros, as in Keras."""
        initializer = kernel_initializer(model.initializer, kernel_seed(seed, layer.place))
        kernel = initializer((layer.inputs, layer.outputs))
        return [np.asarray(kernel, np.float32), np.zeros(layer.outputs, np.float32)]

    @staticmethod
    def plain(layer: Dense, model: ModelPlan) -> Any:
        return keras.layers.Dense(
            layer.outputs,
            kernel_initializer=model.initializer,
            kernel_regularizer=keras.regularizers.L1L2(model.l1, model.l2)
            if layer.penalized
            else None,
            name=layer.name,
        )


def kernel_initializer(name: str, seed: int) -> Any:
    """Keras's initializer `name`; `seed` if it draws random numbers."""
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
    """`x + bias`, whose gradient for the bias is a matrix product with ones.

    A plain sum over the batch adds in an order that depends on where the network lies in memory
    (for widths that are no multiple of a vector register), and so on its place in the stack. A
    matrix product is taken network by network: the same bits alone and in any stack.
    """

    def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
        if upstream is None:
            (upstream,) = arguments
        shape = ops.shape(upstream)
        ones = ops.ones((shape[0], 1, shape[1]), dtype=upstream.dtype)
        return upstream, ops.matmul(ones, upstream)

    return x + bias, gradient
