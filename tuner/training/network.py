"""N networks of one shape as a Keras functional model."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tuner.training.kind import StackShape
from tuner.training.layers import (
    DropoutClock,
    StackedBatchNormalization,
    StackedDense,
    StackedDropout,
)


class PerNetworkL1L2(keras.regularizers.Regularizer):
    """`l1 * sum(|w|) + l2 * sum(w^2)` of each network: `(N,)`.

    `l1` and `l2` are `(N, 1, 1)` tensors, set while tracing.
    """

    def __init__(self) -> None:
        self.l1: Any = 0.0
        self.l2: Any = 0.0

    def __call__(self, x: Any) -> Any:
        penalty = self.l1 * ops.abs(x) + self.l2 * ops.square(x)
        return ops.sum(penalty, axis=(1, 2))


class StackedNetwork:
    """The model and the handles through which settings reach its layers.

    Attributes:
        model: `(N, batch, features)` to linear outputs `(N, batch, outputs)`; layers in the order
            Dense, BatchNormalization, Activation, Dropout for each hidden layer, then Dense.
            Inputs are `(1, batch, features)` if the networks are of `one_input`.
    """

    def __init__(self, shape: StackShape, networks: int, one_input: bool = False) -> None:
        self.shape = shape
        self.networks = networks
        self.clock = DropoutClock()
        self.regularizer = PerNetworkL1L2() if shape.regularized else None
        entering = (1 if one_input else networks, None, shape.features)
        x = inputs = keras.Input(batch_shape=entering, name="rows")
        for i, units in enumerate(shape.units):
            x = StackedDense(
                units,
                networks=networks,
                kernel_regularizer=self.regularizer,
                name=f"dense_{i}",
            )(x)
            if shape.batch_norm:
                x = StackedBatchNormalization(name=f"batch_norm_{i}")(x)
            x = keras.layers.Activation(shape.activation, name=f"activation_{i}")(x)
            if shape.dropout:
                x = StackedDropout(self.clock, salt=i, name=f"dropout_{i}")(x)
        outputs = StackedDense(shape.outputs, networks=networks, name="outputs")(x)
        self.model = keras.Model(inputs, outputs, name="stack")
        self.model.supports_masking = True

    def use(self, settings: dict[str, Any], step: Any) -> None:
        """Take settings as tensors `(N, 1, 1)`; called while tracing."""
        if self.regularizer is not None:
            self.regularizer.l1 = settings["l1"]
            self.regularizer.l2 = settings["l2"]
        if self.shape.dropout:
            self.clock.seed = settings["seed"]
            self.clock.threshold = settings["threshold"]
            self.clock.scale = settings["scale"]
            self.clock.step = step

    def penalty(self) -> Any:
        """Each network's regularization loss `(N,)`, or None without any."""
        losses = self.model.losses
        return sum(losses[1:], losses[0]) if losses else None
