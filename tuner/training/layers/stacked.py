"""What the layers of a stack have in common."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.planning.layers import Layer
from tuner.planning.plan import ModelPlan


class InStack(NamedTuple):
    """What the layers of a stack are built in: N `networks`, the regularizer of their penalized
    weights (None: no penalty), and the `DropoutClock`."""

    networks: int
    regularizer: keras.regularizers.Regularizer | None
    clock: Any


class StackedLayer(keras.layers.Layer):
    """A `Layer` of N networks: inputs `(N, batch, inputs)`, or `(1, batch, inputs)` that all
    networks share, to `(N, batch, outputs)`. A mask `(N, batch)` has False for padding rows.

    Each `Weight` of the layer is an attribute of its name, of shape `(N, a, b)` or `(N, 1, a)`.
    Weights begin as zeros: each network's own first weights are assigned as data, so that one
    trace serves every initializer.
    """

    def __init__(self, layer: Layer, stack: InStack) -> None:
        super().__init__(name=layer.name)
        self.layer: Any = layer
        self.stack = stack
        self.supports_masking = True

    def build(self, *_: Any) -> None:
        for own in self.layer.weights:
            weight = self.add_weight(
                shape=(self.stack.networks, math.prod(own.shape[:-1]), own.shape[-1]),
                initializer="zeros",
                trainable=own.trained,
                regularizer=self.stack.regularizer if own.penalized else None,
                name=own.name,
            )
            setattr(self, own.name, weight)

    def compute_output_shape(self, *_: Any) -> tuple[int | None, ...]:
        return (self.stack.networks, None, self.layer.outputs)

    @staticmethod
    def first_weights(
        layer: Any, model: ModelPlan, seed: int, rows: NDArray[np.float32] | None
    ) -> list[NDArray[np.float32]]:
        """The weights of one network before training, in the order of `layer.weights`. `rows`
        `(rows, inputs)` are what training rows become before this layer, None unless the
        model `reads_rows`."""
        return []

    @staticmethod
    def as_plain(layer: Any, weights: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """The weights of one network as the `plain` layer has them."""
        return weights

    @staticmethod
    def plain(layer: Any, model: ModelPlan) -> Any:
        """The layer of one network in Keras's own: a `keras.layers.Layer` of its name, or a
        function that calls several on what comes in, as it must be if the layer joins another.
        Their weights are those of `as_plain`, in its order."""
        raise NotImplementedError
