"""N networks of one shape as a Keras functional model, and their settings. Needs Keras alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from tuner.planning.network import through
from tuner.planning.plan import TrainingPlan
from tuner.training.averaging import WeightAverage
from tuner.training.kind import StackShape
from tuner.training.layers import STACKED, DropoutClock, InStack


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
        model: `(N, batch, features)` to linear outputs `(N, batch, outputs)`, through the layers
            of `shape`. Inputs are `(1, batch, features)` if the networks are of `one_input`.
    """

    def __init__(self, shape: StackShape, networks: int, one_input: bool = False) -> None:
        self.shape = shape
        self.networks = networks
        self.clock = DropoutClock()
        self.regularizer = PerNetworkL1L2() if shape.regularized else None
        entering = (1 if one_input else networks, None, shape.features)
        inputs = keras.Input(batch_shape=entering, name="rows")
        stack = InStack(networks, self.regularizer, self.clock)
        outputs = through(
            shape.layers, inputs, lambda layer, *x: STACKED[type(layer)](layer, stack)(*x)
        )
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


class StackSettings(NamedTuple):
    """Every hyperparameter of every network, `(N, 1, 1)` each, by name: those of the optimizer,
    those of the layers, those of the loss."""

    optimizer: dict[str, Any]
    layers: dict[str, Any]
    loss: dict[str, Any]

    @classmethod
    def of(
        cls, shape: StackShape, plans: Sequence[TrainingPlan], seeds: Sequence[int]
    ) -> StackSettings:
        """Of networks that train as `plans`, all of `shape`, from `seeds`; as arrays."""
        given = [dict(plan.optimizer.settings) | dict(plan.optimizer.factors) for plan in plans]
        switches = dict(shape.switches)
        layers: dict[str, Any] = {}
        if shape.regularized:
            layers["l1"] = _column([plan.model.l1 for plan in plans])
            layers["l2"] = _column([plan.model.l2 for plan in plans])
        if shape.dropout:
            layers |= DropoutClock.settings(list(seeds), [plan.model.dropout for plan in plans])
        averaged = WeightAverage.settings(plans) if shape.weight_averaging else {}
        return cls(
            {n: _column([own[n] for own in given]) for n in given[0] if n not in switches}
            | averaged,
            layers,
            {
                "label_smoothing": _column([plan.loss.label_smoothing for plan in plans]),
                "delta": _column([plan.loss.delta for plan in plans]),
            },
        )


def _column(values: list[Any]) -> Any:
    return np.array(values, np.float32).reshape(-1, 1, 1)
