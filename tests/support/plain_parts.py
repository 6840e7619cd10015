"""The parts of RealMLP by plain Keras: layers of our own, and one optimizer of Keras's a group of
weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tests.support import plain_keras
from tuner.data.dataset import Dataset, Fold
from tuner.planning import TrainingPlan, epoch_order


class NtkDense(keras.layers.Dense):
    """The neural tangent parametrization, its kernel and inputs as they stand in the formula."""

    def call(self, inputs: Any) -> Any:
        return ops.matmul(inputs, self.kernel) / np.sqrt(inputs.shape[-1]) + self.bias


class Scaling(keras.layers.Layer):
    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


class Bend(keras.layers.Layer):
    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = keras.activations.get(function)

    def build(self, shape: Any) -> None:
        self.alpha = self.add_weight(shape=(shape[-1],), initializer="ones", name="alpha")

    def call(self, inputs: Any) -> Any:
        return (1 - self.alpha) * inputs + self.alpha * self.function(inputs)


def build(plan: TrainingPlan) -> keras.Sequential:
    own = plan.model
    dense = NtkDense if own.parametrization == "ntk" else keras.layers.Dense
    model = keras.Sequential([keras.Input((own.features,))])
    if own.front_scale:
        model.add(Scaling())
    penalty = keras.regularizers.L1L2(own.l1, own.l2) if own.l1 or own.l2 else None
    for units in own.units:
        model.add(dense(units, kernel_regularizer=penalty))
        if own.batch_norm:
            model.add(keras.layers.BatchNormalization())
        bend = Bend if own.parametric_activation else keras.layers.Activation
        model.add(bend(own.activation))
    model.add(dense(own.outputs))
    return model


def train(
    plan: TrainingPlan, dataset: Dataset, fold: Fold, seed: int, first: list[np.ndarray]
) -> keras.Sequential:
    """From the weights `first`, by a rate and a weight decay for each group of weights."""
    model = build(plan)
    model.set_weights(first)
    factors = dict(plan.optimizer.factors)
    rate = float(plan.schedule.rates(1, 1)[0])
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    groups: dict[tuple[float, float], list[Any]] = {}
    for variable in model.trainable_variables:
        own = decay = 1.0
        if variable.name == "bias":
            own *= factors.get("learning_rate_factor.bias", 1.0)
            decay = factors.get("weight_decay_factor.bias", 1.0)
        if any(variable is weight for weight in (dense[0].kernel, dense[0].bias)):
            own *= factors.get("learning_rate_factor.first_layer", 1.0)
        if variable.name == "scale":
            own *= factors.get("learning_rate_factor.front_scale", 1.0)
        if variable.name == "alpha":
            own *= factors.get("learning_rate_factor.activation", 1.0)
        groups.setdefault((own, decay), []).append(variable)
    settings = dict(plan.optimizer.settings)
    switches: dict[str, Any] = {
        n: bool(settings[n]) for n in ("nesterov", "amsgrad", "centered") if n in settings
    }
    optimizers = []
    for own, decay in groups:
        if "weight_decay" in settings:
            switches["weight_decay"] = settings["weight_decay"] * decay
        kind = plain_keras.OPTIMIZERS[plan.optimizer.name]
        optimizers.append(kind(learning_rate=rate * own, **{**settings, **switches}))
    loss, y = plain_keras.loss_of(plan), plain_keras.targets(dataset, plan)
    for epoch in range(plan.epochs):
        rows = fold.train[epoch_order(seed, epoch, len(fold.train))]
        for start in range(0, len(rows), plan.batch_size):
            batch = rows[start : start + plan.batch_size]
            with tf.GradientTape() as tape:
                outputs = model(dataset.x[batch], training=True)
                value = loss(y[batch], outputs) + sum(model.losses)
            parts = list(groups.values())
            gradients = tape.gradient(value, parts)
            for optimizer, own, variables in zip(optimizers, gradients, parts, strict=True):
                optimizer.apply(own, variables)
    return model
