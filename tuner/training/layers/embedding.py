"""Numbers as several values each: see `tuner.embeddings` for the formula.

Sources: PLR: Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical Features in Tabular Deep
Learning" (2022); PBLD: Holzmueller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned
MLPs and Boosted Trees on Tabular Data" (2024).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tuner.planning.layers import NumericalEmbedding
from tuner.planning.plan import ModelPlan
from tuner.planning.seeds import stream
from tuner.training.layers.dense import add_bias
from tuner.training.layers.stacked import StackedLayer


class StackedEmbedding(StackedLayer):
    """Some columns of the inputs embedded; then the other columns (all of them if the kind has the
    value itself) as they are.

    Shapes, F being the embedded columns: frequencies and phases `(N, F, frequencies)`, linear
    `(N, F * periodic, linear_units)`, bias `(N, F, linear_units)`. None of them is a kernel to an
    optimizer: Muon moves them by Adam's rule, as Keras's moves every layer called embedding, and
    Adafactor keeps no means of rows and columns of them, which Keras's would.

    Every product is a batched one over networks and columns, with rows and frequencies inside: so
    are their gradients, which do not depend on the network's place in the stack.
    """

    def call(self, inputs: Any) -> Any:
        layer, networks, columns = self.layer, self.stack.networks, len(self.layer.columns)
        units, each = layer.linear_units, networks * columns
        # (N or 1, F, rows, 1)
        x = ops.expand_dims(ops.transpose(_taken(inputs, layer.columns), (0, 2, 1)), -1)
        turns = ops.expand_dims(self.frequencies, 2)
        if layer.of.phased:
            # The phases are one more row of the same product: x is followed by a 1.
            x = ops.concatenate([2 * math.pi * x, ops.ones_like(x)], axis=-1)
            turns = ops.concatenate([turns, ops.expand_dims(self.phases, 2)], axis=2)
            values = ops.cos(ops.matmul(x, turns))
        else:
            angles = ops.matmul(2 * math.pi * x, turns)
            values = ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=-1)
        values = ops.matmul(
            ops.reshape(values, (each, -1, layer.periodic)),
            ops.reshape(self.linear, (each, layer.periodic, units)),
        )
        values = add_bias(values, ops.reshape(self.bias, (each, 1, units)))
        values = keras.activations.get(layer.of.activation)(values)
        values = ops.transpose(ops.reshape(values, (networks, columns, -1, units)), (0, 2, 1, 3))
        values = ops.reshape(values, (networks, -1, columns * units))
        if not layer.passed:
            return values
        passed = _taken(inputs, layer.passed)
        passed = ops.broadcast_to(passed, (networks, ops.shape(values)[1], len(layer.passed)))
        return ops.concatenate([values, passed], axis=-1)

    @staticmethod
    def first_weights(
        layer: NumericalEmbedding, model: ModelPlan, seed: int, rows: Any
    ) -> list[NDArray[np.float32]]:
        """Frequencies of N(0, sigma^2), phases uniform in [-pi, pi], linear layers uniform in
        +-1/sqrt(their inputs)."""
        assert model.embedding is not None
        random, columns = stream(seed, "embedding"), len(layer.columns)
        drawn = [model.embedding.sigma * random.standard_normal((columns, layer.frequencies))]
        if layer.of.phased:
            drawn.append(random.uniform(-math.pi, math.pi, (columns, layer.frequencies)))
        bound = layer.periodic**-0.5
        drawn.append(random.uniform(-bound, bound, (columns, layer.periodic, layer.linear_units)))
        drawn.append(random.uniform(-bound, bound, (columns, layer.linear_units)))
        return [values.astype(np.float32) for values in drawn]

    @staticmethod
    def plain(layer: NumericalEmbedding, model: ModelPlan) -> Callable[[Any], Any]:
        """A function of `(rows, inputs)` to `(rows, outputs)`."""
        columns = len(layer.columns)
        radians = keras.layers.Rescaling(2 * math.pi, name=f"{layer.name}_radians")
        frequencies = keras.layers.EinsumDense(
            "rf,fk->rfk",
            (columns, layer.frequencies),
            bias_axes="fk" if layer.of.phased else None,
            name=f"{layer.name}_frequencies",
        )
        linear = keras.layers.EinsumDense(
            "rfk,fku->rfu",
            (columns, layer.linear_units),
            bias_axes="fu",
            activation=layer.of.activation,
            name=layer.name,
        )

        def embed(inputs: Any) -> Any:
            angles = frequencies(radians(_taken(inputs, layer.columns)))
            values = ops.cos(angles)
            if not layer.of.phased:
                values = ops.concatenate([values, ops.sin(angles)], axis=-1)
            values = ops.reshape(linear(values), (-1, columns * layer.linear_units))
            if not layer.passed:
                return values
            return ops.concatenate([values, _taken(inputs, layer.passed)], axis=-1)

        return embed


def _taken(inputs: Any, columns: tuple[int, ...]) -> Any:
    """The `columns` of the last axis, which rise; all of them are the inputs themselves."""
    if len(columns) == inputs.shape[-1]:
        return inputs
    return ops.take(inputs, list(columns), axis=-1)
