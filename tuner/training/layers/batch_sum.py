"""Sums over the rows of a batch that have the same bits alone and in any stack."""

from typing import Any

from keras import ops


def batch_sum(values: Any) -> Any:
    """`(N, batch, units)` to `(N, 1, units)`, by a matrix product with ones.

    A plain sum over the batch adds in an order that depends on where the network lies in memory
    (for widths that are no multiple of a vector register), and so on its place in the stack. A
    matrix product is taken network by network.
    """
    shape = ops.shape(values)
    return ops.matmul(ops.ones((shape[0], 1, shape[1]), dtype=values.dtype), values)


def upstream_of(arguments: tuple[Any, ...], upstream: Any) -> Any:
    """The gradient that a `keras.ops.custom_gradient` is given, which every backend gives in its
    own way."""
    return arguments[0] if upstream is None else upstream
