"""Dropout whose masks belong to a network, not to its place in a stack.

A counter-based hash of (network's seed, its training step, layer, row, unit) decides what is
kept, so a network draws the same masks alone, in any stack, and with any number of workers. One
32-bit hash serves two units: each 16-bit half is compared with the rate.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tuner.planning.layers import Dropout
from tuner.planning.plan import ModelPlan
from tuner.training.layers.stacked import StackedLayer

_GOLDEN = 0x9E3779B9


def _word(value: int) -> Any:
    return ops.convert_to_tensor(np.uint32(value & 0xFFFFFFFF))


def lowbias32(x: Any) -> Any:
    """Mix 32-bit words so that every input bit reaches every output bit.

    Source: Chris Wellons, "Prospecting for Hash Functions" (2018); bias 0.174.

    Args:
        x: uint32 tensor of any shape.
    """
    x = ops.multiply(ops.bitwise_xor(x, ops.right_shift(x, _word(16))), _word(0x7FEB352D))
    x = ops.multiply(ops.bitwise_xor(x, ops.right_shift(x, _word(15))), _word(0x846CA68B))
    return ops.bitwise_xor(x, ops.right_shift(x, _word(16)))


class DropoutClock:
    """What the dropout layers of one stack read: each network's seed, rate and step.

    Attributes (all of shape `(N, 1, 1)`): `seed` uint32, `threshold` uint32 (rate x 65,536) and
    `scale` float32 (1 / (1 - rate)) are set once a training, or in each step if the rate follows
    a schedule; `step` is the optimizer's own iteration counter, so a network that sits out a step
    draws what it would have drawn alone.
    """

    seed: Any = None
    threshold: Any = None
    scale: Any = None
    step: Any = None

    @staticmethod
    def settings(seeds: list[int], rates: list[float]) -> dict[str, np.ndarray]:
        """The tensors to set for networks with these seeds (uint32) and rates (0 <= rate < 1)."""
        rate = np.asarray(rates, np.float64).reshape(-1, 1, 1)
        return {
            "seed": np.asarray(seeds, np.uint32).reshape(-1, 1, 1),
            **DropoutClock.levels(rate),
        }

    @staticmethod
    def levels(rate: np.ndarray) -> dict[str, np.ndarray]:
        """Those of the tensors that follow from rates (float64), in their shape."""
        return {
            "threshold": np.round(rate * 65536).astype(np.uint32),
            "scale": (1.0 / (1.0 - rate)).astype(np.float32),
        }


class StackedDropout(StackedLayer):
    """`outputs = inputs * kept * 1 / (1 - rate)` in training, `inputs` otherwise."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        shape = ops.shape(inputs)
        kept = self.kept(shape[1], shape[2])
        return ops.where(kept, inputs * self.stack.clock.scale, 0.0)

    def kept(self, rows: Any, units: int) -> Any:
        """`(N, rows, units)` bool: which values stay at the networks' present steps."""
        clock = self.stack.clock
        step = ops.cast(clock.step, "uint32")
        key = lowbias32(ops.bitwise_xor(clock.seed, _word(self.layer.place * _GOLDEN)))
        key = lowbias32(ops.bitwise_xor(key, ops.multiply(step, _word(_GOLDEN))))
        halves = -(-units // 2)
        row = ops.expand_dims(ops.cast(ops.arange(rows, dtype="int32"), "uint32"), -1)
        unit = ops.cast(ops.arange(halves, dtype="int32"), "uint32")
        index = ops.expand_dims(ops.multiply(row, _word(halves)) + unit, 0)
        mixed = lowbias32(ops.multiply(index, _word(_GOLDEN)) + key)
        low = ops.bitwise_and(mixed, _word(0xFFFF))
        high = ops.right_shift(mixed, _word(16))
        kept = ops.concatenate([low >= clock.threshold, high >= clock.threshold], axis=-1)
        return kept[:, :, :units]

    @staticmethod
    def plain(layer: Dropout, model: ModelPlan) -> Any:
        return keras.layers.Dropout(model.dropout, name=layer.name)
