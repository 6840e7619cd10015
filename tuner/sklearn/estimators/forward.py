"""The network's answers by NumPy alone: no TensorFlow if a pickled estimator predicts.

In float32, as the network was trained; the sums differ from the stack's by their rounding, about
1e-7 of a probability.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit, log_softmax, softmax

from tuner.planning import layers
from tuner.planning.layers import Layer
from tuner.planning.network import by_layer, layers_of, through
from tuner.planning.plan import ModelPlan

Floats = NDArray[np.floating]
#: Rows at a time, always so many (the last ones filled up with zeros): a matrix library rounds
#: alike in products of one shape, so that a row's answer does not depend on the rows beside it. A
#: multiple of the 4, 6, 8, 12 or 16 rows that its kernels take at a time.
CHUNK = 96
#: Of `keras.layers.BatchNormalization`.
_EPSILON = 1e-3
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _elu(x: Floats) -> Floats:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))


def _selu(x: Floats) -> Floats:
    return _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0.0)))


#: Keras's formulas. An activation that is missing here is computed by Keras.
ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "relu": lambda x: np.maximum(x, 0.0),
    "linear": lambda x: x,
    "sigmoid": expit,
    "tanh": np.tanh,
    "elu": _elu,
    "selu": _selu,
    "gelu": lambda x: 0.5 * x * (1.0 + erf(x / np.sqrt(2.0))),
    "silu": lambda x: x * expit(x),
    "exponential": np.exp,
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "log_softmax": lambda x: log_softmax(x, axis=-1),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "softmax": lambda x: softmax(x, axis=-1),
    "softplus": lambda x: np.logaddexp(x, np.float32(0.0)),
    "softsign": lambda x: x / (1.0 + np.abs(x)),
}


def forward(
    model: ModelPlan, weights: Sequence[NDArray[np.float32]], x: NDArray[Any]
) -> NDArray[np.float64]:
    """The last layer's sums, `(rows, outputs)`, for inputs `(rows, features)`.

    `weights` are ordered as `Sequential.get_weights()`.
    """
    sums = np.empty((len(x), model.outputs))
    whole = len(x) - len(x) % CHUNK
    for start in range(0, whole, CHUNK):
        sums[start : start + CHUNK] = _forward(model, weights, x[start : start + CHUNK])
    if whole < len(x):
        filled = np.zeros((CHUNK, x.shape[1]), np.float32)
        filled[: len(x) - whole] = x[whole:]
        sums[whole:] = _forward(model, weights, filled)[: len(x) - whole]
    return sums


def _forward(model: ModelPlan, weights: Sequence[NDArray[np.float32]], x: NDArray[Any]) -> Floats:
    own = {layer.name: weights for layer, weights in by_layer(layers_of(model), weights)}
    answers: Floats = through(
        layers_of(model),
        np.asarray(x, np.float32),
        lambda layer, *values: FORMULAS[type(layer)](layer, own[layer.name], *values),
    )
    return answers


def activate(name: str, values: Floats) -> Floats:
    """Keras's activation `name` of `(rows, units)`."""
    own = ACTIVATIONS.get(name)
    if own is not None:
        return own(values)
    import keras

    return np.asarray(keras.ops.convert_to_numpy(keras.activations.get(name)(values)))


def _batch_norm(_: Layer, weights: Sequence[Floats], x: Floats) -> Floats:
    gamma, beta, mean, variance = weights
    return (x - mean) * (gamma / np.sqrt(variance + _EPSILON)) + beta


def _embedded(layer: layers.NumericalEmbedding, weights: Sequence[Floats], x: Floats) -> Floats:
    *periodic, kernel, bias = weights
    angles = np.float32(2 * np.pi) * x[:, layer.columns, None] * periodic[0]
    if layer.of.phased:
        values = np.cos(angles + periodic[1])
    else:
        values = np.concatenate([np.cos(angles), np.sin(angles)], axis=-1)
    # One product a column.
    values = (values.transpose(1, 0, 2) @ kernel).transpose(1, 0, 2) + bias
    values = activate(layer.of.activation, values).reshape(len(x), -1)
    return np.concatenate([values, x[:, layer.passed]], axis=1)


#: A kind of layer to its answers for `(rows, inputs)`, and the outputs of the layer that it joins.
FORMULAS: Mapping[type[Layer], Callable[..., Floats]] = {
    layers.Dense: lambda _, weights, x: x @ weights[0] + weights[1],
    layers.BatchNormalization: _batch_norm,
    layers.Activation: lambda layer, _, x: activate(layer.function, x),
    layers.ParametricActivation: lambda layer, weights, x: (
        x + weights[0] * (activate(layer.function, x) - x)
    ),
    layers.Scale: lambda _, weights, x: x * weights[0],
    layers.Dropout: lambda _, __, x: x,
    layers.NumericalEmbedding: _embedded,
    layers.Shortcut: lambda _, __, x, entered: x + entered,
}
