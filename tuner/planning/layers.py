"""What a network is made of, layer by layer: `layers_of` is the one place that knows their order.

The order of a network's weights, its stack, its plain Keras form, its cost and its answers by NumPy
follow from it. A kind of layer is a class here (widths and weights), its class in
`tuner.training.layers` (stacked form, first weights, plain Keras form) and its formula in
`tuner.sklearn.estimators.forward`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from tuner.planning.plan import ModelPlan


@dataclass(frozen=True)
class Weight:
    """A weight of one network. In a stack one of shape `(a, b)` is `(N, a, b)`, of `(a,)`
    `(N, 1, a)`.

    Attributes:
        trained: by gradients.
        penalized: by the network's L1 and L2.
    """

    name: str
    shape: tuple[int] | tuple[int, int]
    trained: bool = True
    penalized: bool = False

    @property
    def size(self) -> int:
        size = 1
        for length in self.shape:
            size *= length
        return size


@dataclass(frozen=True, kw_only=True)
class Layer:
    """`(rows, inputs)` to `(rows, outputs)`.

    Attributes:
        name: its own in the network, and of the exported model's layer.
        joins: the name of an earlier layer whose outputs come in as well; empty: none.
    """

    name: str
    inputs: int
    outputs: int
    joins: str = ""

    @property
    def weights(self) -> tuple[Weight, ...]:
        """In Keras's order: those that train come first."""
        return ()

    @property
    def multiply_adds(self) -> int:
        """Of the matrix products of one row."""
        return 0


@dataclass(frozen=True, kw_only=True)
class Dense(Layer):
    """`x @ kernel + bias`.

    Attributes:
        place: how many Dense layers come before.
        penalized: whether the network's L1 and L2 are on its kernel.
    """

    place: int
    penalized: bool = False

    @property
    def weights(self) -> tuple[Weight, ...]:
        kernel = Weight("kernel", (self.inputs, self.outputs), penalized=self.penalized)
        return kernel, Weight("bias", (self.outputs,))

    @property
    def multiply_adds(self) -> int:
        return self.inputs * self.outputs


@dataclass(frozen=True, kw_only=True)
class BatchNormalization(Layer):
    """Keras's, with its momentum and epsilon."""

    @property
    def weights(self) -> tuple[Weight, ...]:
        trained = [Weight(name, (self.outputs,)) for name in ("gamma", "beta")]
        moving = [
            Weight(name, (self.outputs,), trained=False)
            for name in ("moving_mean", "moving_variance")
        ]
        return (*trained, *moving)


@dataclass(frozen=True, kw_only=True)
class Activation(Layer):
    """Keras's activation `function`."""

    function: str


@dataclass(frozen=True, kw_only=True)
class Dropout(Layer):
    """Of the network's rate; `place` tells the masks of one network apart."""

    place: int


@lru_cache(maxsize=1024)
def layers_of(model: ModelPlan) -> tuple[Layer, ...]:
    """The layers of `model`, in their order; the last is a Dense of its linear outputs."""
    layers: list[Layer] = []
    width = model.features
    for place, units in enumerate(model.units):
        number = place + 1
        layers.append(
            Dense(
                name=f"hidden_{number}",
                inputs=width,
                outputs=units,
                place=place,
                penalized=model.l1 > 0 or model.l2 > 0,
            )
        )
        width = units
        if model.batch_norm:
            name = f"batch_norm_{number}"
            layers.append(BatchNormalization(name=name, inputs=width, outputs=width))
        name = f"activation_{number}"
        layers.append(Activation(name=name, inputs=width, outputs=width, function=model.activation))
        if model.dropout > 0:
            name = f"dropout_{number}"
            layers.append(Dropout(name=name, inputs=width, outputs=width, place=place))
    layers.append(Dense(name="output", inputs=width, outputs=model.outputs, place=len(model.units)))
    return tuple(layers)


def through(layers: Sequence[Layer], x: Any, apply: Callable[..., Any]) -> Any:
    """`x` behind all `layers`: `apply(layer, x)` of each on what the one before it gave, and
    `apply(layer, x, other)` of one that joins another."""
    given: dict[str, Any] = {}
    for layer in layers:
        x = apply(layer, x, given[layer.joins]) if layer.joins else apply(layer, x)
        given[layer.name] = x
    return x


def by_layer(layers: Sequence[Layer], weights: Sequence[Any]) -> Iterator[tuple[Layer, list[Any]]]:
    """Each layer with its own of a network's `weights`."""
    remaining = iter(weights)
    for layer in layers:
        yield layer, list(islice(remaining, len(layer.weights)))
