"""Each network's own first weights, drawn by Keras's initializers for plain, unstacked shapes, and
from rows that it trains on if its initializers ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from tuner.data.dataset import Fold
from tuner.planning.layers import Layer
from tuner.planning.network import layers_of, through
from tuner.planning.plan import ModelPlan
from tuner.planning.seeds import epoch_order
from tuner.training.layers import STACKED, DropoutClock, InStack

if TYPE_CHECKING:
    from tuner.training.stack_data import StackData


#: Training rows that first weights follow from, at most: a mean over more moves them by little.
MOST_ROWS = 1024


def network_weights(model: ModelPlan, seed: int, rows: Any = None) -> list[NDArray[np.float32]]:
    """The weights of one network before training, in the order of `Sequential.get_weights()`:
    those of each of its `layers_of` in turn. `rows` are needed if the model `reads_rows`."""
    if model.reads_rows:
        return _FirstPass(model).weights(model, seed, rows)
    return [
        weight
        for layer in layers_of(model)
        for weight in STACKED[type(layer)].first_weights(layer, model, seed, None)
    ]


def drawn_weights(
    models: Sequence[ModelPlan], seeds: Sequence[int], rows: Sequence[Any] | None = None
) -> list[list[NDArray[np.float32]]]:
    """`network_weights` of every network; those of the same model and seed are drawn once.

    Drawing costs 2 ms a network; scikit-learn's rule gives all folds the same seed. `rows` are
    each network's `first_rows`: with them every network has its own weights.
    """
    if rows is not None:
        first = _FirstPass(models[0])
        return [first.weights(*own) for own in zip(models, seeds, rows, strict=True)]
    drawn: dict[tuple[ModelPlan, int], list[NDArray[np.float32]]] = {}
    for model, seed in zip(models, seeds, strict=True):
        if (model, seed) not in drawn:
            drawn[model, seed] = network_weights(model, seed)
    return [drawn[own] for own in zip(models, seeds, strict=True)]


def first_rows(
    model: ModelPlan, folds: Sequence[Fold], seeds: Sequence[int], data: StackData
) -> list[Any] | None:
    """For each network inputs `(rows, features)` as it will see them: the first rows of its first
    epoch. None if networks such as `model` do not read them before they train.

    Each network's are computed by themselves: what it begins from must not depend on its stack.
    """
    if not model.reads_rows:
        return None
    rows = []
    for network, (fold, seed) in enumerate(zip(folds, seeds, strict=True)):
        order = epoch_order(seed, 0, len(fold.train))[:MOST_ROWS]
        x, _ = data.of_networks([network]).rows(fold.train[order][None], 1)
        rows.append(x[0])
    return rows


class _FirstPass:
    """One network's layers, given weights one after the other, each from what reaches it."""

    def __init__(self, model: ModelPlan) -> None:
        self._layers = layers_of(model)
        stack = InStack(1, None, DropoutClock())
        self._stacked = {own.name: STACKED[type(own)](own, stack) for own in self._layers}
        for layer in self._stacked.values():
            layer.build()

    def weights(self, model: ModelPlan, seed: int, rows: Any) -> list[NDArray[np.float32]]:
        """Of the network of `model`, which has these layers, with `seed` and `rows`."""
        drawn: list[NDArray[np.float32]] = []

        def begin(layer: Layer, x: Any, *others: Any) -> Any:
            stacked = self._stacked[layer.name]
            own = stacked.first_weights(layer, model, seed, np.asarray(x[0]))
            drawn.extend(own)
            values = [
                ops.convert_to_tensor(value.reshape(variable.shape))
                for variable, value in zip(stacked.weights, own, strict=True)
            ]
            trained = len(stacked.trainable_weights)
            answers, _ = stacked.stateless_call(values[:trained], values[trained:], x, *others)
            return answers

        through(self._layers, rows[None], begin)
        return drawn


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
