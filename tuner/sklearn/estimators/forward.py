"""The network's answers by NumPy alone: no TensorFlow where a pickled estimator predicts.

In float64, so that a row's answer does not depend on the rows beside it; the stack's float32
answers lie within its rounding, about 1e-7 of a probability.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit, log_softmax, softmax

from tuner.planning.plan import ModelPlan

Floats = NDArray[np.float64]
#: Rows at a time: what is held stays small whatever is predicted.
CHUNK = 4096
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
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "softsign": lambda x: x / (1.0 + np.abs(x)),
}


def forward(
    model: ModelPlan, weights: Sequence[NDArray[np.float32]], x: NDArray[Any]
) -> NDArray[np.float64]:
    """The last layer's sums, `(rows, outputs)`, for inputs `(rows, features)`.

    `weights` are ordered as `Sequential.get_weights()`.
    """
    exact = [np.asarray(weight, np.float64) for weight in weights]
    parts = [_forward(model, exact, x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _forward(model: ModelPlan, weights: Sequence[Floats], x: NDArray[Any]) -> Floats:
    remaining = iter(weights)
    values = np.asarray(x, np.float64)
    for _ in model.units:
        values = values @ next(remaining) + next(remaining)
        if model.batch_norm:
            gamma, beta, mean, variance = (next(remaining) for _ in range(4))
            values = (values - mean) * (gamma / np.sqrt(variance + _EPSILON)) + beta
        values = activate(model.activation, values)
    return values @ next(remaining) + next(remaining)


def activate(name: str, values: Floats) -> Floats:
    """Keras's activation `name` of `(rows, units)`."""
    own = ACTIVATIONS.get(name)
    if own is not None:
        return own(values)
    import keras

    tensor = keras.ops.convert_to_tensor(values.astype(np.float32))
    return np.asarray(
        keras.ops.convert_to_numpy(keras.activations.get(name)(tensor)), dtype=np.float64
    )
