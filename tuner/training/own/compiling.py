"""Optimizer and loss of a model that `build` left uncompiled, as Keras's own objects; and the
learning rates of one that it compiled, as a schedule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tuner.data.dataset import Task
from tuner.errors import PlanError
from tuner.optimizers import OPTIMIZERS
from tuner.planning.plan import LossPlan, OptimizerPlan, TrainingPlan
from tuner.schedules import ConstantSchedule, Rates, Schedule


def compile_as(model: Any, plan: TrainingPlan, task: Task, probabilities: bool) -> None:
    """Give `model` the optimizer and the loss of `plan`; the rate is set in every step."""
    model.compile(
        optimizer=_optimizer(plan.optimizer, plan.schedule.learning_rate),
        loss=_loss(plan.loss, task, probabilities),
    )


def _optimizer(plan: OptimizerPlan, rate: float) -> Any:
    described = OPTIMIZERS[plan.name]
    kind = getattr(keras.optimizers, described.__name__, None)
    if kind is None:
        raise PlanError(
            f"a network of your own is trained by an optimizer of Keras; got {plan.name}, which is "
            "not among them"
        )
    return kind(learning_rate=rate, **dict(plan.settings))


def _loss(plan: LossPlan, task: Task, probabilities: bool) -> Any:
    """A Keras loss of what the model answers. Cross-entropies take its logits, as if it had ended
    in them; every other loss sees probabilities."""
    logits = not probabilities
    if plan.name == "sparse_categorical_crossentropy":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    if plan.name in ("categorical_crossentropy", "binary_crossentropy"):
        kind = {
            "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
            "binary_crossentropy": keras.losses.BinaryCrossentropy,
        }[plan.name]
        return kind(from_logits=logits, label_smoothing=plan.label_smoothing)
    distance = {
        "mean_squared_error": keras.losses.MeanSquaredError,
        "mean_absolute_error": keras.losses.MeanAbsoluteError,
        "huber": lambda: keras.losses.Huber(delta=plan.delta),
    }[plan.name]()
    if task == "regression" or probabilities:
        return distance
    return _OfProbabilities(distance, "softmax" if task == "multiclass" else "sigmoid")


class _OfProbabilities(keras.losses.Loss):
    """A distance of targets and the probabilities that logits stand for."""

    def __init__(self, distance: Any, activation: str) -> None:
        super().__init__(name=distance.name)
        self._distance = distance
        self._activation = keras.activations.get(activation)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._distance.call(y_true, self._activation(y_pred))


class OwnRates(Schedule):
    """The rates of a compiled model, by its optimizer's own `LearningRateSchedule`; to be recorded,
    as the optimizer asks it itself."""

    name = "own"

    asked: Any

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        return np.asarray(
            tf.map_fn(
                lambda step: tf.cast(self.asked(step), tf.float32),
                tf.range(steps_per_epoch * epochs),
                fn_output_signature=tf.float32,
            )
        )


def with_own_rates(plan: TrainingPlan, optimizer: Any) -> TrainingPlan:
    """`plan` with the rates of a compiled model's `optimizer`."""
    asked = own_schedule(optimizer)
    if asked is None:
        schedule: Schedule = ConstantSchedule(float(optimizer.learning_rate))
    else:
        schedule = OwnRates(plan.schedule.learning_rate, asked)
    return replace(plan, schedule=schedule)


def own_schedule(optimizer: Any) -> Any:
    """Keras's `LearningRateSchedule` of an optimizer; None if its rate is a number."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = inner._learning_rate
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None
