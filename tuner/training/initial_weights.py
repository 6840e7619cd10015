"""Each network's own first weights, drawn by Keras's initializers for plain, unstacked shapes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.planning.plan import ModelPlan
from tuner.planning.seeds import purpose_key, splitmix64


def kernel_initializer(name: str, seed: int) -> Any:
    """Keras's initializer `name`; `seed` if it draws random numbers."""
    initializer = keras.initializers.get(name)
    config = initializer.get_config()
    if "seed" not in config:
        return initializer
    return type(initializer)(**{**config, "seed": seed})


def kernel_seed(seed: int, layer: int) -> int:
    """The seed (31 bits) of a layer's kernel in the network with `seed`."""
    return splitmix64(splitmix64(seed) ^ purpose_key("kernel") ^ layer) & 0x7FFFFFFF


def network_weights(model: ModelPlan, seed: int) -> list[NDArray[np.float32]]:
    """The weights of one network before training, in the order of `Sequential.get_weights()`.

    Per hidden layer: kernel `(in, out)`, bias `(out,)` and, with batch normalization, gamma,
    beta, moving mean, moving variance `(out,)`; then kernel and bias of the output layer. Biases
    are zeros, as in Keras.
    """
    weights: list[NDArray[np.float32]] = []
    widths = (model.features, *model.units, model.outputs)
    for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
        kernel = kernel_initializer(model.initializer, kernel_seed(seed, layer))((fan_in, fan_out))
        weights += [np.asarray(kernel, np.float32), np.zeros(fan_out, np.float32)]
        if model.batch_norm and layer < len(model.units):
            ones, zeros = np.ones(fan_out, np.float32), np.zeros(fan_out, np.float32)
            weights += [ones, zeros, zeros, ones]
    return weights


def drawn_weights(
    models: Sequence[ModelPlan], seeds: Sequence[int]
) -> list[list[NDArray[np.float32]]]:
    """`network_weights` of every network; those of the same model and seed are drawn once.

    Drawing costs 2 ms a network; scikit-learn's rule gives all folds the same seed.
    """
    drawn: dict[tuple[ModelPlan, int], list[NDArray[np.float32]]] = {}
    for model, seed in zip(models, seeds, strict=True):
        if (model, seed) not in drawn:
            drawn[model, seed] = network_weights(model, seed)
    return [drawn[own] for own in zip(models, seeds, strict=True)]


def stacked_weights(
    networks: Sequence[Sequence[NDArray[np.float32]]],
) -> list[NDArray[np.float32]]:
    """Weights of N networks to stacked ones: `(in, out)` to `(N, in, out)`, `(out,)` to
    `(N, 1, out)`."""
    stacked = []
    for values in zip(*networks, strict=True):
        value = np.stack(values)
        stacked.append(value if value.ndim == 3 else value[:, None, :])
    return stacked
