"""N networks that train together: the variables, the graph, and one trial's numbers in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tuner.planning.network import by_layer
from tuner.planning.plan import TrainingPlan
from tuner.training.averaging import WeightAverage
from tuner.training.batches import EpochBatches, ValidationChunks
from tuner.training.epoch import EpochGraph, EpochResult
from tuner.training.initial_weights import drawn_weights, stacked_weights
from tuner.training.kind import StackKind
from tuner.training.layers import STACKED
from tuner.training.network import StackedNetwork, StackSettings
from tuner.training.optimizers import build_optimizer
from tuner.training.stack_data import StackData
from tuner.training.trace import SharedTrace


class NetworkStack:
    """N networks of one `kind`; `reset` gives them to a new trial without a new trace.

    Args:
        trace: shared with stacks of the same kind.
    """

    def __init__(self, kind: StackKind, trace: SharedTrace) -> None:
        self.shape = shape = kind.shape
        self.networks = kind.networks
        self.network = StackedNetwork(shape, kind.networks, kind.one_input)
        self.model = self.network.model
        self.optimizer = build_optimizer(
            shape.optimizer,
            shape.switches,
            shape.clip,
            kind.networks,
            self.model.trainable_variables,
            kind.fused,
            shape.groups,
        )
        trained = self.model.trainable_variables
        self.average: WeightAverage | None = None
        if shape.weight_averaging is not None:
            self.average = WeightAverage(shape.weight_averaging, [own.value for own in trained])
        self._graph = EpochGraph(kind, self.network, self.optimizer, self.average, trace)
        self._settings = StackSettings({}, {}, {})
        self._inputs: NDArray[np.intp] | None = None
        #: As they were drawn, with the weights of inputs that no network sees.
        self._first_kernels: list[NDArray[np.float32]] = []

    def reset(
        self,
        plans: Sequence[TrainingPlan],
        seeds: Sequence[int],
        inputs: NDArray[np.intp] | None = None,
        rows: Sequence[Any] | None = None,
    ) -> None:
        """Begin anew: network i trains as `plans[i]` (all of this stack's shape) from
        `seeds[i]` (uint32). `inputs`: those that the networks see, if the stack's shape has
        fewer features than the plans. `rows`: see `first_rows`."""
        weights = drawn_weights([plan.model for plan in plans], seeds, rows)
        self._inputs = inputs
        self._first_kernels = [own[0] for own in weights]
        if inputs is not None:
            weights = [[own[0][inputs], *own[1:]] for own in weights]
        for variable, value in zip(self.model.weights, stacked_weights(weights), strict=True):
            variable.assign(value)
        settings = StackSettings.of(self.shape, plans, seeds)
        for variable, value in zip(
            self.optimizer.variables,
            self.optimizer.initial_state(settings.optimizer),
            strict=True,
        ):
            variable.assign(value)
        if self.average is not None:
            self.average.reset()
        self._settings = tf.nest.map_structure(tf.constant, settings)

    def run_epoch(
        self,
        data: StackData,
        batches: EpochBatches,
        rates: NDArray[np.float32],
        tables: StackSettings,
        chunks: tuple[Any, Any],
    ) -> EpochResult:
        """Train one epoch and validate; `rates` `(steps, N)`, `tables` from `ScheduledSettings`,
        `chunks` from `validation`."""
        return self._graph.run(
            data,
            self._settings,
            tf.constant(batches.rows),
            tf.constant(batches.counts),
            tf.constant(rates),
            tf.nest.map_structure(tf.constant, tables),
            tf.constant(batches.full_steps),
            *chunks,
        )

    @staticmethod
    def validation(chunks: ValidationChunks) -> tuple[Any, Any]:
        """`chunks` as tensors, made once a trial."""
        return tf.constant(chunks.rows), tf.constant(chunks.counts)

    def get_weights(self) -> list[list[NDArray[np.float32]]]:
        """Each network's weights, or their averages, if there are any, as its plain Keras form has
        them, in the order of `Sequential.get_weights()`."""
        shown: dict[int, Any] = {}
        if self.average is not None:
            trained = self.model.trainable_variables
            shown = dict(zip(map(id, trained), self.average.averages, strict=True))
        described = [weight for layer in self.shape.layers for weight in layer.weights]
        stacked = [
            np.asarray(shown.get(id(variable), variable)).reshape(-1, *weight.shape)
            for variable, weight in zip(self.model.weights, described, strict=True)
        ]
        weights = [[value[i].copy() for value in stacked] for i in range(self.networks)]
        if self._inputs is not None:
            for own, initial in zip(weights, self._first_kernels, strict=True):
                used, own[0] = own[0], initial.copy()
                own[0][self._inputs] = used
        return [
            [
                weight
                for layer, values in by_layer(self.shape.layers, own)
                for weight in STACKED[type(layer)].as_plain(layer, values)
            ]
            for own in weights
        ]

    def get_state(self) -> list[NDArray[Any]]:
        """Weights, optimizer variables and averages of all networks: all that a later epoch
        depends on, besides its number."""
        return [np.asarray(variable) for variable in self._variables()]

    def set_state(self, state: Sequence[NDArray[Any]]) -> None:
        """The inverse of `get_state`, after a `reset` to the same plans."""
        for variable, value in zip(self._variables(), state, strict=True):
            variable.assign(value)

    def _variables(self) -> list[Any]:
        averages = [] if self.average is None else self.average.variables
        return [*self.model.weights, *self.optimizer.variables, *averages]
