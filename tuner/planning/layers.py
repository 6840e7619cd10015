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

from tuner.embeddings import EMBEDDINGS, Embedding
from tuner.planning.plan import ModelPlan

#: A cosine's time in multiply-adds, about: forward and backward of 5 networks took 1.6 ms for
#: 266,000 cosines, a matrix product 0.1 ms for a million of these.
_COSINE = 20


@dataclass(frozen=True)
class Weight:
    """A weight of one network. In a stack one of shape `(a, b)` is `(N, a, b)`, of `(a,)`
    `(N, 1, a)`, of `(a, b, c)` `(N, a * b, c)`.

    Attributes:
        trained: by gradients.
        penalized: by the network's L1 and L2.
    """

    name: str
    shape: tuple[int, ...]
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

    @property
    def kept(self) -> int:
        """Numbers that a row's backward pass needs."""
        return self.outputs


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


@dataclass(frozen=True, kw_only=True)
class NumericalEmbedding(Layer):
    """Some `columns` of the inputs embedded as `kind`, a key of `EMBEDDINGS`, says; then those that
    pass as they are."""

    kind: str
    columns: tuple[int, ...]
    frequencies: int
    units: int

    @property
    def of(self) -> type[Embedding]:
        return EMBEDDINGS[self.kind]

    @property
    def periodic(self) -> int:
        """Cosines and sines of a column."""
        return self.frequencies * (1 if self.of.phased else 2)

    @property
    def linear_units(self) -> int:
        """Outputs of a column's linear layer."""
        return self.units - self.of.with_value

    @property
    def passed(self) -> tuple[int, ...]:
        """The columns that pass."""
        embedded = () if self.of.with_value else self.columns
        return tuple(sorted({*range(self.inputs)} - {*embedded}))

    @property
    def weights(self) -> tuple[Weight, ...]:
        columns = len(self.columns)
        frequencies = Weight("frequencies", (columns, self.frequencies))
        phases = Weight("phases", (columns, self.frequencies))
        linear = Weight("linear", (columns, self.periodic, self.linear_units))
        bias = Weight("bias", (columns, self.linear_units))
        return (frequencies, *([phases] if self.of.phased else []), linear, bias)

    @property
    def multiply_adds(self) -> int:
        """Of the products, and what the cosines take, in such."""
        each = self.frequencies + self.periodic * (self.linear_units + _COSINE)
        return len(self.columns) * each

    @property
    def kept(self) -> int:
        return len(self.columns) * (self.frequencies + 2 * self.periodic) + self.outputs


@dataclass(frozen=True, kw_only=True)
class Shortcut(Layer):
    """The outputs of the layer before, plus those of the layer that it joins."""


@lru_cache(maxsize=1024)
def layers_of(model: ModelPlan) -> tuple[Layer, ...]:
    """The layers of `model`, in their order; the last is a Dense of its linear outputs."""
    layers: list[Layer] = []
    width = model.features
    if model.embedding is not None:
        own = model.embedding
        layers.append(
            NumericalEmbedding(
                name="embedding",
                inputs=width,
                outputs=width + len(own.columns) * (own.units - 1),
                kind=own.name,
                columns=own.columns,
                frequencies=own.frequencies,
                units=own.units,
            )
        )
        width = layers[-1].outputs
    for place, units in enumerate(model.units):
        number = place + 1
        skips = model.skip_connections and place > 0 and units == width
        entered = layers[-1].name if skips else ""
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
        if skips:
            name = f"shortcut_{number}"
            layers.append(Shortcut(name=name, inputs=width, outputs=width, joins=entered))
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
