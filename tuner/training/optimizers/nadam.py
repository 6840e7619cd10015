"""Nadam whose running product of momenta is one number a network."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tuner.training.optimizers.per_network import PerNetwork


class StackedNadam(PerNetwork, keras.optimizers.Nadam):
    """`keras.optimizers.Nadam` with `_u_product` of shape `(N, 1, 1)`."""

    def build(self, variables: list[Any]) -> None:
        if self.built:
            return
        super().build(variables)
        self._untrack_variable(self._u_product)  # type: ignore[has-type]
        self._tracker.unlock()
        self._u_product = keras.Variable(
            np.ones((self.networks, 1, 1), np.float32), trainable=False, name="u_product"
        )
        self._tracker.lock()
