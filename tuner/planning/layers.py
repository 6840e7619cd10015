"""The kinds of layers that a network is made of: their widths and weights.

A kind is a class here, its class in `tuner.training.layers` (stacked form, first weights, plain
Keras form) and its formula in `tuner.sklearn.estimators.forward`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuner.embeddings import EMBEDDINGS, Embedding

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
        groups: those that it belongs to, of `learning_rate_factor` and `weight_decay_factor`.
    """

    name: str
    shape: tuple[int, ...]
    trained: bool = True
    penalized: bool = False
    groups: tuple[str, ...] = ()

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
        ntk: `x @ kernel / sqrt(inputs) + bias`.
    """

    place: int
    penalized: bool = False
    ntk: bool = False

    @property
    def weights(self) -> tuple[Weight, ...]:
        first = () if self.place else ("first_layer",)
        shape = (self.inputs, self.outputs)
        kernel = Weight("kernel", shape, penalized=self.penalized, groups=first)
        return kernel, Weight("bias", (self.outputs,), groups=("bias", *first))

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
class ParametricActivation(Layer):
    """`x + alpha * (function(x) - x)` of Keras's `function`, an alpha a unit."""

    function: str

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (Weight("alpha", (self.outputs,), groups=("activation",)),)


@dataclass(frozen=True, kw_only=True)
class Scale(Layer):
    """`x * scale`, a scale an input."""

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (Weight("scale", (self.outputs,), groups=("front_scale",)),)


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
        shapes: dict[str, tuple[int, ...]] = {"frequencies": (columns, self.frequencies)}
        if self.of.phased:
            shapes["phases"] = (columns, self.frequencies)
        shapes["linear"] = (columns, self.periodic, self.linear_units)
        shapes["bias"] = (columns, self.linear_units)
        return tuple(Weight(name, shape, groups=("embedding",)) for name, shape in shapes.items())

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
