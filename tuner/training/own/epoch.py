"""One network's epoch and its validation in a graph, by the model's own loss and optimizer.

Every batch is trained at its true size, the last one too: nothing is padded, and a network makes
its own number of steps.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tuner.training.kind import StackShape
from tuner.training.losses import predictions, row_metric
from tuner.training.own.compiling import own_schedule
from tuner.training.own.network import OwnNetwork
from tuner.training.stack_data import StackData


class NetworkEpoch:
    """The epoch of one network.

    Args:
        shape: what `row_metric` and `predictions` ask for: task and outputs.
        metrics: names of the summed metrics.
        predict: whether it gives the predictions of the validation rows.
    """

    def __init__(
        self, network: OwnNetwork, shape: StackShape, metrics: tuple[str, ...], predict: bool
    ) -> None:
        self._network = network
        self._shape = shape
        self._metrics = metrics
        self._predict = predict
        self._sets_rate = own_schedule(network.model.optimizer) is None

    def run(
        self,
        data: StackData,
        rows: Any,
        counts: Any,
        rates: Any,
        validation_rows: Any,
        validation_counts: Any,
    ) -> tuple[Any, Any, Any]:
        """Train on the first `counts[i]` of `rows[i]` (`(steps, batch)` int32) at `rates[i]` while
        there are any, then validate in chunks.

        `data` is of this network alone. Returns sums over rows in training and validation, the
        loss first: `(1 + metrics,)`; and the predictions `(chunks, size, outputs)` or none.
        """
        zeros = tf.zeros((1 + len(self._metrics),))

        def step(i: Any, sums: Any) -> Any:
            own = tf.gather(rows, i)[: tf.gather(counts, i)]
            return i + 1, sums + self._step(data, own, tf.gather(rates, i))

        steps = tf.math.count_nonzero(counts, dtype=tf.int32)
        _, sums = tf.while_loop(lambda i, _: i < steps, step, (0, zeros), parallel_iterations=1)
        with tf.control_dependencies([sums]):
            validated, outputs = self._validate(data, validation_rows, validation_counts, zeros)
        return sums, validated, outputs

    def _step(self, data: StackData, numbers: Any, rate: Any) -> Any:
        """One update on the rows `numbers` `(batch,)`, as a model's `train_step` makes it."""
        x, y = self._rows(data, numbers)
        model = self._network.model
        weight = None
        if data.class_weight is not None:
            weight = tf.gather(data.class_weight[0], y)
        with tf.GradientTape() as tape:
            outputs = self._network.answer(x, training=True)
            loss = self._loss(x, y, outputs, weight, training=True)
            minimized = model.optimizer.scale_loss(loss)
        if self._sets_rate:
            model.optimizer.learning_rate.assign(rate)
        gradients = tape.gradient(minimized, model.trainable_weights)
        model.optimizer.apply(gradients, model.trainable_weights)
        return self._sums(data, y, outputs, loss)

    def _validate(self, data: StackData, rows: Any, counts: Any, zeros: Any) -> tuple[Any, Any]:
        chunks = tf.math.count_nonzero(counts, dtype=tf.int32)
        kept = tf.TensorArray(
            tf.float32,
            size=chunks if self._predict else 0,
            infer_shape=False,
            element_shape=(None, self._shape.outputs),
        )

        def chunk(i: Any, sums: Any, kept: Any) -> Any:
            x, y = self._rows(data, tf.gather(rows, i)[: tf.gather(counts, i)])
            outputs = self._network.answer(x, training=False)
            loss = self._loss(x, y, outputs, None, training=False)
            if self._predict:
                kept = kept.write(i, self._in_own_unit(data, self._answers(outputs)))
            return i + 1, sums + self._sums(data, y, outputs, loss), kept

        _, sums, kept = tf.while_loop(
            lambda i, *_: i < chunks, chunk, (0, zeros, kept), parallel_iterations=1
        )
        if not self._predict:
            return sums, tf.zeros((0,))
        answered, (most, size) = kept.concat(), tf.unstack(tf.shape(rows))
        missing = most * size - tf.shape(answered)[0]
        answered = tf.pad(answered, [[0, missing], [0, 0]])
        return sums, tf.reshape(answered, (most, size, self._shape.outputs))

    def _rows(self, data: StackData, numbers: Any) -> tuple[Any, Any]:
        """Inputs as the network takes them, and targets: class numbers, or values."""
        x, y = data.rows(numbers[None], 1)
        return tf.reshape(x[0], (-1, *self._network.row)), y[0]

    def _loss(self, x: Any, y: Any, outputs: Any, weight: Any, *, training: bool) -> Any:
        """The model's own, penalties included, as a mean over rows."""
        if self._shape.task == "binary":
            y = tf.cast(y[:, None], tf.float32)
        elif self._shape.task == "multiclass" and not self._network.sparse:
            y = tf.one_hot(y, self._shape.outputs)
        loss = self._network.model.compute_loss(x, y, outputs, weight, training=training)
        return tf.cast(loss, tf.float32)

    def _sums(self, data: StackData, y: Any, outputs: Any, loss: Any) -> Any:
        """The loss and the metrics, summed over the rows of a batch: `(1 + metrics,)`."""
        sums = [loss * tf.cast(tf.shape(outputs)[0], tf.float32)]
        if self._metrics:
            outputs, y = tf.cast(outputs, tf.float32), y
            if self._shape.task == "regression":
                y, outputs = self._in_own_unit(data, y), self._in_own_unit(data, outputs)
            elif self._network.probabilities:
                outputs = _logits(outputs, self._shape.task == "multiclass")
            for name in self._metrics:
                values = row_metric(name, self._shape, y[None], outputs[None], None)
                sums.append(tf.reduce_sum(values))
        return tf.stack(sums)

    def _answers(self, outputs: Any) -> Any:
        outputs = tf.cast(outputs, tf.float32)
        return outputs if self._network.probabilities else predictions(self._shape.task, outputs)

    def _in_own_unit(self, data: StackData, values: Any) -> Any:
        """Targets or answers as the data have them; of classes as they are."""
        if self._shape.task != "regression":
            return values
        if data.target_mean is not None:
            return data.in_own_unit(values[None])[0]
        return values if data.target_log is None else tf.math.expm1(values)


def _logits(probabilities: Any, exclusive: bool) -> Any:
    """What a softmax (of classes that exclude each other) or a sigmoid makes these of."""
    logs = keras.ops.log(probabilities)
    return logs if exclusive else logs - tf.math.log1p(-probabilities)
