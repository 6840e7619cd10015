"""A learned scale of each input: `x * scale`.

In front of the first Dense layer it lets a network choose its features: RealMLP's scaling layer
(Holzmueller, Grinsztajn, Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
tabular data", 2024, arXiv 2407.04491, section 3.3).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tuner.planning.layers import Layer, Scale
from tuner.planning.plan import ModelPlan
from tuner.training.layers.batch_sum import batch_sum, upstream_of
from tuner.training.layers.stacked import StackedLayer


class StackedScale(StackedLayer):
    """`outputs[n] = inputs[n] * scale[n]`, scale `(N, 1, inputs)`, which begins as ones."""

    def call(self, inputs: Any) -> Any:
        return scaled(inputs, ops.convert_to_tensor(self.scale))

    @staticmethod
    def first_weights(
        layer: Layer, model: ModelPlan, seed: int, rows: Any
    ) -> list[NDArray[np.float32]]:
        return [np.ones(layer.outputs, np.float32)]

    @staticmethod
    def plain(layer: Scale, model: ModelPlan) -> Any:
        return plain_scale(layer)


def plain_scale(layer: Layer) -> Any:
    """Keras's own layer that multiplies each of its inputs by a weight."""
    return keras.layers.EinsumDense("ab,b->ab", output_shape=layer.outputs, name=layer.name)


@ops.custom_gradient
def scaled(x: Any, scale: Any) -> Any:
    """`x * scale`, whose gradient for the scale is a `batch_sum`. `x` of rows that all networks
    share, `(1, batch, units)`, is data and wants no gradient."""

    def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
        upstream = upstream_of(arguments, upstream)
        return upstream * scale, batch_sum(upstream * x)

    return x * scale, gradient
