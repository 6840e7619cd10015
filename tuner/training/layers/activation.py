"""`keras.layers.Activation` for N networks."""

from __future__ import annotations

from typing import Any

import keras

from tuner.planning.layers import Activation
from tuner.planning.plan import ModelPlan
from tuner.training.layers.stacked import InStack, StackedLayer


class StackedActivation(StackedLayer):
    """Keras's function of each unit, or of the units of a row."""

    def __init__(self, layer: Activation, stack: InStack) -> None:
        super().__init__(layer, stack)
        self.function = keras.activations.get(layer.function)

    def call(self, inputs: Any) -> Any:
        return self.function(inputs)

    @staticmethod
    def plain(layer: Activation, model: ModelPlan) -> Any:
        return keras.layers.Activation(layer.function, name=layer.name)
