"""A user's own networks side by side in one graph: what `Lockstep` asks of a stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tuner.training.batches import EpochBatches, ValidationChunks
from tuner.training.epoch import EpochResult
from tuner.training.kind import StackShape
from tuner.training.network import StackSettings
from tuner.training.own.epoch import NetworkEpoch
from tuner.training.own.form import form_of
from tuner.training.own.network import OwnNetwork
from tuner.training.scores import Measures
from tuner.training.stack_data import StackData
from tuner.training.trace import SharedTrace, forgotten_gradients


class OwnStack:
    """N networks that train together, each with variables of its own.

    Args:
        networks: of one candidate.
        shape: whose `units` are the width of the widest layer.
        measures: the scores to take.

    Attributes:
        model: what callbacks are given, see `tuner.training.callbacks.StackModel`.
        running: asked before every epoch which networks still train; the others rest.
    """

    def __init__(
        self, networks: Sequence[OwnNetwork], shape: StackShape, measures: Measures
    ) -> None:
        self.networks = networks
        self.shape = shape
        self.model: Any = SimpleNamespace(stop_training=False)
        self.running: Callable[[], Sequence[bool]] = lambda: [True] * len(networks)
        self._predict = bool(measures.predicted)
        self._epochs = [
            NetworkEpoch(own, shape, measures.summed, self._predict) for own in networks
        ]
        self._forms = [form_of(own) for own in networks]
        self._shared = SharedTrace()
        self._concrete: Any = None

    def run_epoch(
        self,
        data: StackData,
        batches: EpochBatches,
        rates: NDArray[np.float32],
        tables: StackSettings,
        chunks: tuple[Any, Any],
    ) -> EpochResult:
        """Train one epoch and validate; `rates` `(steps, N)`, `chunks` from `validation`; `tables`
        are empty, see `plan_own`."""
        running = np.array(self.running(), np.int32)
        validation_rows, validation_counts = chunks
        arguments = (
            data,
            tf.constant(batches.rows),
            tf.constant(batches.counts.astype(np.int32) * running),
            tf.constant(rates),
            validation_rows,
            validation_counts * running,
        )
        if self._concrete is None:
            graph = tf.function(self._run, autograph=False)
            self._concrete = graph.get_concrete_function(*_open(arguments))
        result: EpochResult = self._concrete(*arguments)
        return result

    def _run(
        self, data: StackData, rows: Any, counts: Any, rates: Any, own_rows: Any, own_counts: Any
    ) -> EpochResult:
        results = []
        for number in range(len(self.networks)):
            arguments = (
                data.of_networks([number]),
                rows[:, min(number, rows.shape[1] - 1)],
                counts[:, number],
                rates[:, number],
                own_rows[:, min(number, own_rows.shape[1] - 1)],
                own_counts[:, number],
            )
            results.append(self._function(number, arguments)(*arguments))
        sums, validated, outputs = zip(*results, strict=True)
        kept = tf.stack(outputs, axis=1) if self._predict else tf.zeros((0,))
        return EpochResult(tf.stack(sums, axis=1), tf.stack(validated, axis=1), kept)

    def _function(self, number: int, arguments: tuple[Any, ...]) -> Any:
        """The epoch of one network: its own trace, or that of the first one on its variables."""
        network, epoch = self.networks[number], self._epochs[number]

        def trace() -> Any:
            specs = tf.nest.map_structure(
                lambda value: None if value is None else tf.TensorSpec(value.shape, value.dtype),
                arguments,
            )
            return tf.function(epoch.run, autograph=False).get_concrete_function(*specs)

        if self._forms[number] is not None and self._forms[number] == self._forms[0]:
            try:
                return self._shared.function([v.value for v in network.variables], trace)
            except RuntimeError:  # it holds something besides its variables
                pass
        with forgotten_gradients():
            return trace()

    @staticmethod
    def validation(chunks: ValidationChunks) -> tuple[Any, Any]:
        """`chunks` as tensors, made once a trial."""
        return tf.constant(chunks.rows), tf.constant(chunks.counts.astype(np.int32))

    def get_weights(self) -> list[list[NDArray[np.float32]]]:
        """Each network's `get_weights()`."""
        return [own.model.get_weights() for own in self.networks]

    def get_state(self) -> list[NDArray[Any]]:
        """All that a later epoch depends on: weights, optimizer variables, and the states of the
        random numbers of layers."""
        return [np.asarray(v) for own in self.networks for v in own.variables]

    def set_state(self, state: Sequence[NDArray[Any]]) -> None:
        """The inverse of `get_state`."""
        variables = [v for own in self.networks for v in own.variables]
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)


def _open(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Their specs with every size that may vary between calls left open."""
    data, rows, counts, rates, own_rows, own_counts = arguments

    def spec(value: Any, *shape: int | None) -> Any:
        return None if value is None else tf.TensorSpec(shape or value.shape, value.dtype)

    return (
        tf.nest.map_structure(spec, data),
        spec(rows, None, rows.shape[1], None),
        spec(counts, None, counts.shape[1]),
        spec(rates, None, rates.shape[1]),
        spec(own_rows, None, own_rows.shape[1], None),
        spec(own_counts, None, own_counts.shape[1]),
    )
