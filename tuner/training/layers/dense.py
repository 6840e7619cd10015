"""`keras.layers.Dense` for N networks: one batched matrix product, no transposes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class StackedDense(keras.layers.Layer):
    """`outputs[n] = inputs[n] @ kernel[n] + bias[n]`.

    Shapes: inputs `(N, batch, features)`, or `(1, batch, features)` that all networks share;
    kernel `(N, features, units)`, bias `(N, 1, units)`, outputs `(N, batch, units)`.

    Weights begin as zeros: each network's own initial weights are assigned as data, so that one
    trace serves every initializer.
    """

    def __init__(
        self,
        units: int,
        *,
        networks: int,
        kernel_regularizer: keras.regularizers.Regularizer | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.units = units
        self.networks = networks
        self.kernel_regularizer = kernel_regularizer
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            shape=(self.networks, input_shape[-1], self.units),
            initializer="zeros",
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.networks, 1, self.units), initializer="zeros", name="bias"
        )

    def call(self, inputs: Any) -> Any:
        return _add_bias(ops.matmul(inputs, self.kernel), ops.convert_to_tensor(self.bias))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (self.networks, *input_shape[1:-1], self.units)


@ops.custom_gradient
def _add_bias(x: Any, bias: Any) -> Any:
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
