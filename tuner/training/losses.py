"""Keras's losses and the summed metrics, one value a row, over the outputs of a stack.

The last layer is linear. Cross-entropies take its outputs as logits (exact if a probability
rounds to 0 or 1); every other loss sees what the exported model will answer: softmax for
multiclass, sigmoid for binary and multilabel tasks, the values themselves for regression.

Shapes: `y` is `(N, batch)` int32 class numbers, or `(N, batch, outputs)` float32; `outputs` is
`(N, batch, outputs)`; results are `(N, batch)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tuner.data.dataset import Task
from tuner.training.kind import StackShape


def predictions(task: Task, outputs: Any) -> Any:
    """What the exported model answers: probabilities, or values for regression."""
    if task == "multiclass":
        return ops.softmax(outputs)
    if task in ("binary", "multilabel"):
        return ops.sigmoid(outputs)
    return outputs


def _dense_targets(shape: StackShape, y: Any) -> Any:
    if shape.task == "multiclass":
        return ops.one_hot(y, shape.outputs, dtype="float32")
    if shape.task == "binary":
        return ops.cast(ops.expand_dims(y, -1), "float32")
    return y


def row_losses(shape: StackShape, y: Any, outputs: Any, settings: Mapping[str, Any]) -> Any:
    """The loss of every row, without regularization.

    `settings` holds `label_smoothing` and `delta`, `(N, 1, 1)`.
    """
    if shape.loss == "sparse_categorical_crossentropy":
        return _sparse_categorical_crossentropy(y, outputs)
    targets = _dense_targets(shape, y)
    if shape.label_smoothing:
        # Keras: (1 - s) * y + s / classes; s / 2 for the binary one.
        classes = shape.outputs if shape.loss == "categorical_crossentropy" else 2
        smoothing = settings["label_smoothing"]
        targets = targets * (1.0 - smoothing) + smoothing / classes
    if shape.loss in ("categorical_crossentropy", "binary_crossentropy"):
        return getattr(keras.losses, shape.loss)(targets, outputs, from_logits=True)
    answered = predictions(shape.task, outputs)
    if shape.loss in ("mean_squared_error", "mean_absolute_error"):
        return getattr(keras.losses, shape.loss)(targets, answered)
    if shape.loss == "huber":
        return _huber(targets - answered, settings["delta"])
    raise ValueError(f"no stacked form of the loss {shape.loss!r}")


def _sparse_categorical_crossentropy(y: Any, logits: Any) -> Any:
    """Keras's own, of logits, by TensorFlow's kernel alone: the function around it checks in every
    step what the shapes of a stack leave no doubt about."""
    losses, _ = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
        features=tf.reshape(logits, (-1, logits.shape[-1])), labels=tf.reshape(y, (-1,))
    )
    return tf.reshape(losses, tf.shape(y))


def _huber(error: Any, delta: Any) -> Any:
    """0.5 * e^2 if |e| <= delta, else delta * |e| - 0.5 * delta^2; mean over outputs.

    Keras's formula; its function takes one delta only, and networks may differ in theirs.
    """
    size = ops.abs(error)
    small = 0.5 * ops.square(error)
    return ops.mean(ops.where(size <= delta, small, delta * size - 0.5 * delta * delta), axis=-1)


def row_metric(name: str, shape: StackShape, y: Any, outputs: Any, target_std: Any) -> Any:
    """The metric `name` of every row, to be averaged over rows.

    `target_std` `(N, 1, outputs)` brings errors of scaled regression targets back to the
    original units; None if targets are not scaled.
    """
    if name in ("accuracy", "hamming"):
        return _label_metric(name, shape.task, y, outputs)
    if name == "top_5_accuracy":
        own = ops.take_along_axis(outputs, ops.expand_dims(y, -1), axis=-1)
        above = ops.sum(ops.cast(outputs > own, "float32"), axis=-1)
        return ops.cast(above < 5, "float32")
    error = predictions(shape.task, outputs) - _dense_targets(shape, y)
    if target_std is not None:
        error = error * target_std
    if name == "mse":
        return ops.mean(ops.square(error), axis=-1)
    if name == "mae":
        return ops.mean(ops.abs(error), axis=-1)
    raise ValueError(f"no summed form of the metric {name!r}")


def _label_metric(name: str, task: Task, y: Any, outputs: Any) -> Any:
    """scikit-learn's accuracy_score (multilabel: all labels of a row right) and hamming_loss."""
    if task == "multiclass":
        right = ops.cast(ops.equal(ops.argmax(outputs, axis=-1), ops.cast(y, "int32")), "float32")
        return right if name == "accuracy" else 1.0 - right
    y = ops.expand_dims(y, -1) if task == "binary" else y
    right = ops.cast(ops.equal(outputs > 0, ops.cast(y, "float32") > 0.5), "float32")
    return ops.min(right, axis=-1) if name == "accuracy" else 1.0 - ops.mean(right, axis=-1)
