"""Scores of a finished model's predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.scaling import Scaling
from tuner.data.dataset import Dataset, Task
from tuner.planning.metrics import check_metric
from tuner.planning.plan import LossPlan

if TYPE_CHECKING:
    import keras


#: Rows predicted at a time.
_BATCH = 1024


def predict(
    network: keras.Model, x: NDArray[Any] | Mapping[str, NDArray[Any]]
) -> NDArray[np.float32]:
    """`(rows, outputs)`: probabilities, or values for a regression, from raw features or from the
    columns of a table."""
    if not isinstance(x, Mapping):
        answers: NDArray[np.float32] = network.predict(x, batch_size=_BATCH, verbose=0)
        return answers
    import tensorflow as tf

    # `predict` would round float64 to float32 before the model sees it, and takes no text.
    rows = len(next(iter(x.values())))
    parts = [
        network({name: tf.constant(own[i : i + _BATCH]) for name, own in x.items()})
        for i in range(0, rows, _BATCH)
    ]
    return np.concatenate([np.asarray(part) for part in parts])


def network_rows(
    dataset: Dataset, x: NDArray[Any], scaling: Scaling | None
) -> NDArray[np.float32] | NDArray[Any]:
    """What a network trained at `scaling` takes of rows `x` as `dataset` holds them: of a table its
    encoded columns, else the rows as they are."""
    if dataset.encoding is None or scaling is None:
        return x
    return dataset.encoding.inputs(x.astype(np.float32, copy=False), scaling)


def answers(network: keras.Model, x: NDArray[Any]) -> NDArray[np.float32]:
    """As `predict`, of one of many networks: none of them is traced."""
    parts = [
        network(x[i : i + _BATCH].astype(np.float32, copy=False), training=False)
        for i in range(0, len(x), _BATCH)
    ]
    return np.concatenate([np.asarray(part) for part in parts])


def score(metric: str, task: Task, y: NDArray[Any], predictions: NDArray[Any]) -> float:
    """`metric` of predictions as the exported model answers them.

    Args:
        metric: a name of `METRICS` except `loss`, which `loss_of` gives.
        y: as in `Dataset`: `(rows,)` class numbers, or `(rows, outputs)`.
        predictions: `(rows, outputs)`: probabilities, or values.

    Raises:
        PlanError: a metric that does not exist or does not fit the task.
        DataError: rows that leave the metric undefined.
    """
    from sklearn import metrics

    info = check_metric(metric, task)
    if info.score:
        return info.compute(y, predictions)
    if metric == "top_5_accuracy":
        own = np.take_along_axis(predictions, y[:, None], axis=1)
        return float(np.mean((predictions > own).sum(axis=1) < 5))
    if metric in ("mse", "mae"):
        error = metrics.mean_squared_error if metric == "mse" else metrics.mean_absolute_error
        return float(error(_targets(task, y, predictions), predictions))
    share = metrics.accuracy_score if metric == "accuracy" else metrics.hamming_loss
    return float(share(y, decide(task, predictions)))


def _targets(task: Task, y: NDArray[Any], predictions: NDArray[Any]) -> NDArray[Any]:
    """What `predictions` are compared with, of their shape: one-hot rows for class numbers."""
    if task == "multiclass":
        return np.eye(predictions.shape[1], dtype=np.float32)[y]
    return y.reshape(predictions.shape)


def decide(task: Task, predictions: NDArray[Any]) -> NDArray[np.int32]:
    """Probabilities to class numbers `(rows,)`, for multilabel to 0 and 1 `(rows, labels)`."""
    if task == "multiclass":
        return predictions.argmax(axis=1).astype(np.int32)
    above = (predictions > 0.5).astype(np.int32)
    return above[:, 0] if task == "binary" else above


def loss_of(
    plan: LossPlan,
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    target_scaling: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    *,
    log: bool = False,
) -> float:
    """The mean training loss by Keras's own function, without L1 and L2.

    Regression targets are scaled by `target_scaling` (mean, std) first, as in training; `log`: it
    is that of log(1 + target).
    """
    import keras

    settings: dict[str, float] = {}
    if plan.name in ("categorical_crossentropy", "binary_crossentropy"):
        settings["label_smoothing"] = plan.label_smoothing
    if plan.name == "huber":
        settings["delta"] = plan.delta
    # Keras names a loss's class as its function, in capitals.
    loss = getattr(keras.losses, plan.name.title().replace("_", ""))(**settings)
    if plan.name == "sparse_categorical_crossentropy":
        return float(loss(y, predictions))
    targets = np.asarray(_targets(task, y, predictions), dtype=np.float32)
    if log:
        targets, predictions = np.log1p(targets), np.log1p(predictions)
    if target_scaling is not None:
        mean, std = target_scaling
        targets, predictions = (targets - mean) / std, (predictions - mean) / std
    return float(loss(targets, predictions))
