"""Each network's own first weights, drawn by Keras's initializers for plain, unstacked shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuner.planning.layers import layers_of
from tuner.planning.plan import ModelPlan
from tuner.training.layers import STACKED


def network_weights(model: ModelPlan, seed: int) -> list[NDArray[np.float32]]:
    """The weights of one network before training, in the order of `Sequential.get_weights()`:
    those of each of its `layers_of` in turn."""
    return [
        weight
        for layer in layers_of(model)
        for weight in STACKED[type(layer)].first_weights(layer, model, seed)
    ]


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
    `(N, 1, out)`, `(a, b, out)` to `(N, a * b, out)`."""
    stacked = []
    for values in zip(*networks, strict=True):
        value = np.stack(values)
        stacked.append(value.reshape(len(value), -1, value.shape[-1]))
    return stacked
