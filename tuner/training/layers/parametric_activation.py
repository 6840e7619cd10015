"""Activations of which each unit learns how much it bends: `x + alpha * (function(x) - x)`.

RealMLP's (Holzmueller, Grinsztajn, Steinwart 2024, arXiv 2407.04491, section 3.3): alpha begins
as 1, the function itself; 0 is the identity. PReLU (He et al. 2015) is the same of ReLU.
"""

from __future__ import annotations

from typing import Any

import keras

from tuner.planning.layers import ParametricActivation
from tuner.planning.plan import ModelPlan
from tuner.training.layers.scale import StackedScale, plain_scale, scaled
from tuner.training.layers.stacked import InStack


class StackedParametricActivation(StackedScale):
    """`outputs[n] = x + alpha[n] * (function(x) - x)`, alpha `(N, 1, units)`."""

    def __init__(self, layer: ParametricActivation, stack: InStack) -> None:
        super().__init__(layer, stack)
        self.function = keras.activations.get(layer.function)

    def call(self, inputs: Any) -> Any:
        bend = self.function(inputs) - inputs
        return inputs + scaled(bend, keras.ops.convert_to_tensor(self.alpha))

    @staticmethod
    def plain(layer: Any, model: ModelPlan) -> Any:
        function = keras.layers.Activation(layer.function, name=f"{layer.name}_function")
        alpha = plain_scale(layer)
        bend = keras.layers.Subtract(name=f"{layer.name}_bend")
        bent = keras.layers.Add(name=f"{layer.name}_bent")
        return lambda x: bent([x, alpha(bend([function(x), x]))])
