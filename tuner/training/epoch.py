"""One epoch of N networks, and the validation of all of them, in one call of one graph.

Owns the graph; owns no data and no numbers. Rows, hyperparameters, rates and batches enter as
arguments, so one trace serves every trial of a shape, whatever its batch size, its number of
steps and its fold sizes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from tuner.training.averaging import WeightAverage, averages_in_place
from tuner.training.kind import StackKind
from tuner.training.losses import predictions, row_losses, row_metric
from tuner.training.network import StackedNetwork, StackSettings
from tuner.training.scheduled import at_step
from tuner.training.stack_data import StackData
from tuner.training.trace import SharedTrace


class EpochResult(NamedTuple):
    """`train` and `validation`: `(1 + metrics, N)` sums over rows, the loss first (sums, so that
    the mean of a count is exact in float64). `outputs`: `(chunks, N, size, outputs)` predictions
    of the validation rows, or an empty tensor."""

    train: Any
    validation: Any
    outputs: Any


class EpochGraph:
    """The traced epoch of one stack.

    Args:
        network: the stacked model.
        optimizer: a built optimizer of `tuner.training.optimizers`.
        average: of the weights, if there is one.
        trace: shared by the stacks of one kind and form of data.
    """

    def __init__(
        self,
        kind: StackKind,
        network: StackedNetwork,
        optimizer: Any,
        average: WeightAverage | None,
        trace: SharedTrace,
    ) -> None:
        self._kind = kind
        self._trace = trace
        self._network = network
        self._optimizer = optimizer
        self._average = average
        #: All that a step may move: a network without rows gets it back as it was.
        self._state = [v.value for v in (*network.model.weights, *optimizer.variables)]
        self._state += [] if average is None else average.variables
        self._trainable = [v.value for v in network.model.trainable_variables]
        #: Traced once, used by both loops of an epoch: building its graph is what a trace costs.
        self._traced_step = tf.function(self._step, autograph=False)
        self._concrete: Any = None

    def run(self, *arguments: Any) -> EpochResult:
        """Call the graph with the arguments of `_run`, tracing it at the first call.

        Numbers of rows, steps and chunks and the batch size are left open, so that no later
        call traces again.
        """
        if self._concrete is None:
            graph = tf.function(self._run, autograph=False, jit_compile=self._kind.compiled or None)
            self._concrete = self._trace.function(
                self._state, lambda: graph.get_concrete_function(*_open(arguments))
            )
        result: EpochResult = self._concrete(*arguments)
        return result

    def _run(
        self,
        data: StackData,
        settings: StackSettings,
        rows: Any,
        counts: Any,
        rates: Any,
        tables: StackSettings,
        full_steps: Any,
        validation_rows: Any,
        validation_counts: Any,
    ) -> EpochResult:
        """See `EpochBatches` and `ValidationChunks` for the batches; `rates` `(steps, N)`,
        and so are the `tables` of settings that follow a schedule."""
        steps = tf.shape(rows)[0]
        sums = tf.zeros((1 + len(self._kind.metrics), self._kind.networks))

        def of_step(step: Any) -> Any:
            # `rows[step]` is four operations, and a small step's time is in how many there are.
            now = at_step(step, settings, tables)
            return now, tf.gather(rows, step), tf.gather(rates, step), tf.gather(counts, step)

        def full(step: Any, sums: Any) -> Any:
            return step + 1, sums + self._traced_step(data, *of_step(step))

        def ragged(step: Any, sums: Any) -> Any:
            return step + 1, sums + self._gated_step(data, *of_step(step))

        # One kernel for all networks asks that they make every step together.
        ungated = full_steps if self._optimizer.fused is None else steps
        step, sums = tf.while_loop(lambda step, _: step < ungated, full, (0, sums))
        if self._optimizer.fused is None:
            _, sums = tf.while_loop(lambda step, _: step < steps, ragged, (step, sums))
        with averages_in_place(self._average, settings.optimizer):
            validation, outputs = self._validate(data, settings, validation_rows, validation_counts)
        return EpochResult(sums, validation, outputs)

    def _sums(self, data: StackData, y: Any, outputs: Any, losses: Any, mask: Any) -> Any:
        """The loss and the metrics, summed over the rows of `mask` `(N, batch)`:
        `(1 + metrics, N)`."""
        kind, std = self._kind, data.target_std
        if kind.metrics and data.target_log is not None:
            y, outputs, std = data.in_own_unit(y), data.in_own_unit(outputs), None
        metrics = [row_metric(name, kind.shape, y, outputs, std) for name in kind.metrics]
        scores = [tf.where(mask, values, 0.0) for values in (losses, *metrics)]
        return tf.stack([tf.reduce_sum(values, axis=1) for values in scores])

    def _step(
        self, data: StackData, settings: StackSettings, rows: Any, rate: Any, count: Any
    ) -> Any:
        """One update of every network; returns sums over rows, `(1 + metrics, N)`.

        `rows` `(N or 1, batch)` of which the first `count` `(N,)` are real. Losses are summed over
        networks, so that no gradient reaches another network's weights.
        """
        x, y = data.rows(rows, self._kind.networks)
        mask = tf.range(tf.shape(rows)[1], dtype=tf.float32)[None, :] < count[:, None]
        self._network.use(settings.layers, self._optimizer.iterations)
        with tf.GradientTape() as tape:
            outputs = self._network.model(x, training=True, mask=mask)
            losses = row_losses(self._kind.shape, y, outputs, settings.loss)
            if data.weight is not None:
                losses = losses * tf.gather(data.weight, rows)
            if data.class_weight is not None:
                losses = losses * tf.gather(data.class_weight, y, batch_dims=1)
            penalty = self._network.penalty()
        # Of each network's mean over its real rows, plus its penalty.
        minimized, shares = [losses], [tf.where(mask, _inverse(count)[:, None], 0.0)]
        if penalty is not None:
            minimized.append(penalty)
            shares.append(tf.ones_like(penalty))
        gradients = tape.gradient(minimized, self._trainable, output_gradients=shares)
        self._optimizer.use(settings.optimizer, rate[:, None, None])
        self._optimizer.apply(gradients, self._network.model.trainable_variables)
        if self._average is not None:
            self._average.after_step(settings.optimizer, self._optimizer.iterations)
        sums = self._sums(data, y, outputs, losses, mask)
        if penalty is not None:
            sums = tf.concat([sums[:1] + penalty * count, sums[1:]], axis=0)
        # Settings leave N open, and N = 1 cannot be told from a broadcast.
        return tf.ensure_shape(sums, (1 + len(self._kind.metrics), self._kind.networks))

    def _gated_step(
        self, data: StackData, settings: StackSettings, rows: Any, rate: Any, count: Any
    ) -> Any:
        """A step in which some networks may have no rows: those do not move at all."""
        before = [tf.identity(variable) for variable in self._state]
        with tf.control_dependencies(before):
            sums = self._traced_step(data, settings, rows, rate, count)
        moving = (count > 0)[:, None, None]
        with tf.control_dependencies([sums]):
            for variable, old in zip(self._state, before, strict=True):
                variable.assign(tf.where(moving, variable, old))
        return sums

    def _validate(
        self, data: StackData, settings: StackSettings, rows: Any, counts: Any
    ) -> tuple[Any, Any]:
        sums = tf.zeros((1 + len(self._kind.metrics), self._kind.networks))
        if not self._kind.validate:
            return sums, tf.zeros((0,))
        chunks, size = tf.shape(rows)[0], tf.shape(rows)[2]
        kept = tf.TensorArray(tf.float32, size=chunks if self._kind.predict else 0)

        def chunk(i: Any, sums: Any, kept: Any) -> Any:
            x, y = data.rows(rows[i], self._kind.networks)
            outputs = self._network.model(x, training=False)
            losses = row_losses(self._kind.shape, y, outputs, settings.loss)
            mask = tf.range(size, dtype=tf.float32)[None, :] < counts[i][:, None]
            scores = self._sums(data, y, outputs, losses, mask)
            if self._kind.predict:
                answered = predictions(self._kind.shape.task, outputs)
                if data.target_mean is not None:
                    answered = data.in_own_unit(answered)
                kept = kept.write(i, answered)
            return i + 1, tf.ensure_shape(sums + scores, sums.shape), kept

        _, sums, kept = tf.while_loop(lambda i, *_: i < chunks, chunk, (0, sums, kept))
        self._network.use(settings.layers, self._optimizer.iterations)
        penalty = self._network.penalty()
        if penalty is not None:
            penalties = penalty * tf.reduce_sum(counts, axis=0)
            sums = tf.concat([sums[:1] + penalties, sums[1:]], axis=0)
        outputs = kept.stack() if self._kind.predict else tf.zeros((0,))
        return sums, outputs


def _inverse(count: Any) -> Any:
    """`1 / max(count, 1)`, rounded alike in stacks of any size.

    In float32 TensorFlow makes 1 / x a reciprocal, whose last bit is another one in vectors of 8
    and more: networks would differ by their stack, by a bit that a long training makes large.
    """
    return tf.cast(1.0 / tf.cast(tf.maximum(count, 1.0), tf.float64), tf.float32)


def _open(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The specs of `_run`'s arguments with every size that may vary between calls left open.

    Settings and rates leave N open too: `keras.ops.add(x, setting)` takes a setting whose shape
    is known to be `(N, 1, 1)` for a bias if N happens to be the number of features, and adds
    it along the wrong axis.
    """
    data, settings, rows, counts, rates, tables, full_steps, *validation = arguments
    validation_rows, validation_counts = validation
    networks = counts.shape[1]

    def spec(value: Any) -> Any:
        return None if value is None else tf.TensorSpec.from_tensor(value)

    def open_to(value: Any, *shape: int | None) -> tf.TensorSpec:
        return tf.TensorSpec(shape, value.dtype)

    rows_open = {
        name: None if value is None else open_to(value, None, *value.shape[1:])
        for name in ("x", "y", "weight", "codes")
        for value in [getattr(data, name)]
    }
    scales = {name: spec(getattr(data, name)) for name in data._fields if name not in rows_open}
    return (
        StackData(**rows_open, **scales),
        tf.nest.map_structure(lambda value: open_to(value, None, 1, 1), settings),
        open_to(rows, None, rows.shape[1], None),
        open_to(counts, None, networks),
        open_to(rates, None, None),
        tf.nest.map_structure(lambda value: open_to(value, None, None), tables),
        open_to(full_steps),
        open_to(validation_rows, None, validation_rows.shape[1], None),
        open_to(validation_counts, None, networks),
    )
