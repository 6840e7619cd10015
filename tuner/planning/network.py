"""The order of a network's layers: `layers_of` is the one place that knows it.

The order of a network's weights, its stack, its plain Keras form, its cost and its answers by NumPy
follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from tuner.planning.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Layer,
    NumericalEmbedding,
    ParametricActivation,
    Scale,
    Shortcut,
)
from tuner.planning.plan import ModelPlan


@lru_cache(maxsize=1024)
def layers_of(model: ModelPlan) -> tuple[Layer, ...]:
    """The layers of `model`, in their order; the last is a Dense of its linear outputs."""
    layers: list[Layer] = []
    width, ntk = model.features, model.parametrization == "ntk"
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
    if model.front_scale:
        layers.append(Scale(name="front_scale", inputs=width, outputs=width))
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
                ntk=ntk,
            )
        )
        width = units
        if model.batch_norm:
            name = f"batch_norm_{number}"
            layers.append(BatchNormalization(name=name, inputs=width, outputs=width))
        activation = ParametricActivation if model.parametric_activation else Activation
        name = f"activation_{number}"
        layers.append(activation(name=name, inputs=width, outputs=width, function=model.activation))
        if model.dropout > 0:
            name = f"dropout_{number}"
            layers.append(Dropout(name=name, inputs=width, outputs=width, place=place))
        if skips:
            name = f"shortcut_{number}"
            layers.append(Shortcut(name=name, inputs=width, outputs=width, joins=entered))
    place = len(model.units)
    layers.append(Dense(name="output", inputs=width, outputs=model.outputs, place=place, ntk=ntk))
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
