"""Muon: Jordan, https://github.com/KellerJordan/Muon, 2024, with the scale of Liu et al., Muon is
Scalable for LLM Training, 2025, arXiv 2502.16982."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import keras
from keras import ops

from tuner.training.optimizers.per_network import PerNetwork, is_matrix, remaining


class StackedMuon(PerNetwork, keras.optimizers.Muon):
    """Update rule of `keras.optimizers.Muon`, with N kernels in each Newton-Schulz iteration:

        m = m + g + m * (momentum - 1)
        x = g + momentum * m                                     (nesterov; else m)
        x = x / (|x| + 1e-7), then ns_steps times, with A = x x':
            x = muon_a * x + (muon_b * A + muon_c * A A) x
        w = w - learning_rate * rms_rate * sqrt(max(rows, columns)) * x

    What is a matrix in plain Keras moves so: the kernels, the last layer's too. Biases, and what
    batch normalization trains, move by Adam's rule with the rate `adam_lr_ratio * learning_rate`.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        return not is_matrix(variable)

    def use(self, settings: Mapping[str, Any], rate: Any) -> None:
        super().use(settings, rate)
        left_1, left_2 = (
            remaining(beta, self.iterations) for beta in (self.adam_beta_1, self.adam_beta_2)
        )
        self._correction = ops.cast(ops.sqrt(left_2) / left_1, "float32")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, v = self.momentums[index], self.adam_velocities[index]
        if v is not None:  # kept for those that Adam's rule moves
            self.assign_add(m, (gradient - m) * (1.0 - self.adam_beta_1))
            self.assign_add(v, (ops.square(gradient) - v) * (1.0 - self.adam_beta_2))
            alpha = self.rate_of(variable) * self.adam_lr_ratio * self._correction
            self.assign_sub(variable, m * alpha / (ops.sqrt(v) + self.epsilon))
            return
        self.assign_add(m, gradient + m * (self.momentum - 1.0))
        ahead = ops.where(self.nesterov > 0.0, gradient + self.momentum * m, m)
        update = self.zeropower_via_newtonschulz5(ahead, self.ns_steps)
        scale = sqrt(max(variable.shape[1:])) * self.rms_rate
        self.assign_sub(variable, self.rate_of(variable) * update * scale)
