"""The same training by plain Keras: one model a fold, `train_on_batch` (`fit` with class
weights), its own optimizers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tuner.data.dataset import Dataset, Fold
from tuner.planning import TrainingPlan, epoch_order
from tuner.planning.plan import EmbeddingPlan
from tuner.training.initial_weights import network_weights

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
    "adamax": keras.optimizers.Adamax,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "ftrl": keras.optimizers.Ftrl,
    "lion": keras.optimizers.Lion,
    "lamb": keras.optimizers.Lamb,
    "adafactor": keras.optimizers.Adafactor,
    "muon": keras.optimizers.Muon,
}


class _Table(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rates: np.ndarray) -> None:
        self.rates = keras.ops.convert_to_tensor(rates)

    def __call__(self, step: Any) -> Any:
        return keras.ops.take(self.rates, step)


def embedded(plan: EmbeddingPlan, inputs: Any) -> Any:
    """Column by column; the weights are those of all columns."""
    count = len(plan.columns)
    numbers = keras.ops.stack([inputs[:, column] for column in plan.columns], axis=1)
    phases = "fk" if plan.name == "pbld" else None
    turns = keras.layers.EinsumDense(
        "nf,fk->nfk", (count, plan.frequencies), bias_axes=phases, name="embedding_turns"
    )
    angles = turns(numbers * (2 * np.pi))
    waves = [keras.ops.cos(angles)] + [keras.ops.sin(angles)] * (plan.name == "plr")
    units = plan.units - (plan.name == "pbld")
    linear = keras.layers.EinsumDense(
        "nfk,fku->nfu", (count, units), bias_axes="fu", name="embedding_linear"
    )
    values = linear(keras.ops.concatenate(waves, axis=2))
    if plan.name == "plr":
        values = keras.ops.relu(values)
    passed = [
        inputs[:, column : column + 1]
        for column in range(inputs.shape[1])
        if plan.name == "pbld" or column not in plan.columns
    ]
    values = keras.ops.reshape(values, (-1, count * units))
    return keras.ops.concatenate([values, *passed], axis=1)


def build(plan: TrainingPlan, task: str, *, answers: bool = False) -> keras.Model:
    """The MLP of `plan`, ending in logits, or in its probabilities where `answers`."""
    x = inputs = keras.Input((plan.model.features,))
    if plan.model.embedding is not None:
        x = embedded(plan.model.embedding, x)
    regularizer = None
    if plan.model.l1 or plan.model.l2:
        regularizer = keras.regularizers.L1L2(l1=plan.model.l1, l2=plan.model.l2)
    for number, units in enumerate(plan.model.units):
        entering = x
        x = keras.layers.Dense(units, kernel_regularizer=regularizer)(x)
        if plan.model.batch_norm:
            x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Activation(plan.model.activation)(x)
        if plan.model.skip_connections and number > 0 and entering.shape == x.shape:
            x = keras.layers.add([x, entering])
    x = keras.layers.Dense(plan.model.outputs)(x)
    if answers:
        last = {"multiclass": "softmax", "regression": "linear"}.get(task, "sigmoid")
        x = keras.layers.Activation(last)(x)
    return keras.Model(inputs, x)


def loss_of(plan: TrainingPlan) -> Any:
    name, smoothing = plan.loss.name, plan.loss.label_smoothing
    return {
        "sparse_categorical_crossentropy": lambda: keras.losses.SparseCategoricalCrossentropy(
            from_logits=True
        ),
        "categorical_crossentropy": lambda: keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=smoothing
        ),
        "binary_crossentropy": lambda: keras.losses.BinaryCrossentropy(
            from_logits=True, label_smoothing=smoothing
        ),
        "mean_squared_error": keras.losses.MeanSquaredError,
        "mean_absolute_error": keras.losses.MeanAbsoluteError,
        "huber": lambda: keras.losses.Huber(delta=plan.loss.delta),
    }[name]()


def targets(dataset: Dataset, plan: TrainingPlan) -> np.ndarray:
    y = dataset.y
    if dataset.task == "multiclass" and not plan.loss.name.startswith("sparse"):
        return np.eye(dataset.outputs, dtype=np.float32)[y]
    if dataset.task == "binary":
        return y[:, None].astype(np.float32)
    return y


def train(
    plan: TrainingPlan,
    dataset: Dataset,
    fold: Fold,
    seed: int,
    y: np.ndarray | None = None,
    sample_weight: np.ndarray | None = None,
    class_weight: dict[int, float] | None = None,
) -> tuple[keras.Model, list[float]]:
    """Train one fold; returns the model and its training loss after each epoch."""
    answers = "crossentropy" not in plan.loss.name
    model = build(plan, dataset.task, answers=answers)
    model.set_weights(network_weights(plan.model, seed))
    y = targets(dataset, plan) if y is None else y
    steps = -(-len(fold.train) // plan.batch_size)
    optimizer = OPTIMIZERS[plan.optimizer.name](
        learning_rate=_Table(plan.schedule.rates(steps, plan.epochs)),
        **{
            name: bool(value) if name in ("nesterov", "amsgrad", "centered") else value
            for name, value in plan.optimizer.settings
        },
    )
    model.compile(optimizer=optimizer, loss=loss_of(plan), run_eagerly=True)
    losses = []
    for epoch in range(plan.epochs):
        rows = fold.train[epoch_order(seed, epoch, len(fold.train))]
        if class_weight is not None:
            model.reset_metrics()
            history = model.fit(
                dataset.x[rows], y[rows], plan.batch_size, class_weight=class_weight,
                shuffle=False, verbose=0,
            )  # fmt: skip
            losses.append(history.history["loss"][0])
            continue
        total = 0.0
        for start in range(0, len(rows), plan.batch_size):
            batch = rows[start : start + plan.batch_size]
            model.reset_metrics()
            weight = None if sample_weight is None else sample_weight[batch]
            loss = model.train_on_batch(dataset.x[batch], y[batch], sample_weight=weight)
            total += float(np.ravel(loss)[0]) * len(batch)
        losses.append(total / len(rows))
    return model, losses


def logits(model: keras.Model, plan: TrainingPlan, task: str, x: np.ndarray) -> np.ndarray:
    """The outputs before the last activation."""
    bare = build(plan, task)
    bare.set_weights(model.get_weights())
    return np.asarray(bare(x, training=False))
