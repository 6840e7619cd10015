"""`keras.layers.Add` for N networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from tuner.planning.layers import Shortcut
from tuner.planning.plan import ModelPlan
from tuner.training.layers.stacked import StackedLayer


class StackedShortcut(StackedLayer):
    """What the layers between gave, plus what entered them."""

    def call(self, inputs: Any, entered: Any) -> Any:
        return inputs + entered

    @staticmethod
    def plain(layer: Shortcut, model: ModelPlan) -> Callable[[Any, Any], Any]:
        add = keras.layers.Add(name=layer.name)
        return lambda inputs, entered: add([inputs, entered])
