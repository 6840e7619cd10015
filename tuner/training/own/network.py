"""A model that `build` made: seeded, looked at, and compiled.

Whatever is wrong with it is a `PlanError`, so that its trial fails for good with the cause.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any
from weakref import WeakValueDictionary

import keras
import numpy as np
import tensorflow as tf

from tuner.code import own_failures
from tuner.data.dataset import Task
from tuner.errors import PlanError
from tuner.parameters import Value
from tuner.planning.plan import TrainingPlan
from tuner.text import quoted, said
from tuner.training.own.compiling import compile_as

#: Makes the network of a candidate; called once for each fold.
Build = Callable[[dict[str, Any]], Any]
#: Rows that a new model is tried on.
_TRIED = 4
#: Weights that are trained, of the models that were built and are still alive, by their `id`.
_TRAINED: WeakValueDictionary[int, Any] = WeakValueDictionary()


@dataclass(eq=False)
class OwnNetwork:
    """One network of a candidate.

    Attributes:
        model: built and compiled, its optimizer too.
        row: the shape in which it takes a row.
        probabilities: whether it ends in a softmax or sigmoid; if not it answers logits.
        own: whether `build` compiled it: then loss and rate are its own, and it learns a
            regression's targets in their own unit.
    """

    model: Any
    row: tuple[int, ...]
    probabilities: bool
    own: bool

    @property
    def variables(self) -> list[Any]:
        """All that a step may move, random numbers' counters included."""
        found = [*self.model.variables, *self.model.optimizer.variables]
        return list({id(variable): variable for variable in found}.values())

    @property
    def width(self) -> int:
        """Values that the widest layer makes of a row."""
        made = [self.row]
        for layer in self.model.layers:
            shape = getattr(getattr(layer, "output", None), "shape", None)
            if shape is not None and None not in shape[1:]:
                made.append(tuple(shape[1:]))
        return max(map(prod, made))

    @property
    def sparse(self) -> bool:
        """Whether the loss takes class numbers for one-hot rows."""
        loss = self.model.loss
        name = loss if isinstance(loss, str) else getattr(loss, "name", None)
        return loss is None or "sparse" in str(name or getattr(loss, "__name__", ""))

    def answer(self, x: Any, *, training: bool) -> Any:
        """The outputs for rows `x`, as Keras's own steps call the model."""
        arguments = inspect.signature(self.model.call).parameters
        if "training" in arguments or "kwargs" in arguments:
            return self.model(x, training=training)
        return self.model(x)


def built_network(
    build: Build,
    params: Mapping[str, Value],
    seed: int,
    plan: TrainingPlan,
    task: Task,
    image_shape: tuple[int, ...] | None,
) -> OwnNetwork:
    """The network that `build(params)` gives after `keras.utils.set_random_seed(seed)`.

    Args:
        image_shape: of a row, if it is an image; for models that do not say what they take.

    Raises:
        PlanError: `build` raises, or gives no model of one input and one output that fits the
            data.
    """
    features, outputs = plan.model.features, plan.model.outputs
    with _seeded(seed):
        try:
            model = build(dict(params))
        except _failures() as error:
            raise _refused(f"it raised {type(error).__name__}: {said(error)}", params) from error
        if not isinstance(model, keras.Model):
            raise _refused(f"it returned {quoted(model)}, a {type(model).__name__}", params)
        row = _row_shape(model, features, image_shape, params)
        rows = tf.zeros((_TRIED, *row))
        try:
            answered: Any = model(rows)
        except own_failures() as error:
            where = f"on rows of the shape {row} it raised {type(error).__name__}"
            raise _refused(f"{where}: {said(error)}", params) from error
        shape = tuple(getattr(answered, "shape", ()))
        if shape != (_TRIED, outputs):
            got = ("(None, " + ", ".join(map(str, shape[1:])) + ")") if shape else "several outputs"
            raise _refused(
                f"it answers {got}; a {task} task with {outputs} output{'s'[: outputs != 1]} asks "
                f"for (None, {outputs})",
                params,
            )
        if not model.trainable_variables:
            raise _refused("it has no weights to train", params)
        if type(model).train_step is not keras.Model.train_step:
            raise _refused("it has a train_step of its own, which is not called here", params)
        probabilities = _are_probabilities(model, rows, answered, task)
        own = bool(model.compiled)
        if any(_TRAINED.get(id(weight)) is weight for weight in model.trainable_variables):
            raise _refused("it has weights of a model that it returned before", params)
        _TRAINED.update((id(weight), weight) for weight in model.trainable_variables)
        if not own:
            compile_as(model, plan, task, probabilities)
        elif getattr(model, "optimizer", None) is None:
            raise _refused("it is compiled without an optimizer", params)
        elif model.loss is None and not model.losses and _loss_is_kerass(model):
            raise _refused("it is compiled without a loss", params)
        model.optimizer.build(model.trainable_variables)
    return OwnNetwork(model, row, probabilities, own)


def _failures() -> tuple[type[BaseException], ...]:
    """Of `build`, which has no reason to end a program either."""
    return (*own_failures(), SystemExit)


def _loss_is_kerass(model: keras.Model) -> bool:
    return type(model).compute_loss is keras.Model.compute_loss


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Within `keras.utils.set_random_seed(seed)`; Python's and NumPy's generators are put back."""
    python, numpy = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _row_shape(
    model: Any, features: int, image_shape: tuple[int, ...] | None, params: Mapping[str, Value]
) -> tuple[int, ...]:
    """The shape in which `model` takes a row: its own if it says one, else an image's, or flat."""
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) > 1:
        raise _refused(f"it has {len(inputs)} inputs, and data have one", params)
    wanted = tuple(inputs[0].shape[1:]) if inputs else ()
    if not inputs:
        return image_shape or (features,)
    if None in wanted and image_shape is not None and len(image_shape) == len(wanted):
        wanted = image_shape
    if None in wanted or prod(wanted) != features:
        shape = ", ".join(map(str, wanted))
        raise _refused(f"it takes (None, {shape}), and a row has {features} values", params)
    return wanted


def _are_probabilities(model: Any, rows: Any, answered: Any, task: Task) -> bool:
    """Whether a model that `answered` these for its rows ends in a softmax or sigmoid: rows of
    several classes then sum to 1; a sigmoid is looked for in the graph."""
    if task == "regression":
        return False
    values = np.asarray(answered)
    if task == "multiclass":
        return bool((values >= 0).all() and np.allclose(values.sum(axis=-1), 1, atol=1e-4))
    if (values < 0).any() or (values > 1).any():
        return False
    made = tf.function(model, autograph=False).get_concrete_function(rows)
    last = made.outputs[0].op
    while last.type in ("Identity", "Cast", "Reshape"):
        last = last.inputs[0].op
    return bool(last.type == "Sigmoid")


def _refused(problem: str, params: Mapping[str, Value]) -> PlanError:
    given = ", ".join(f"{name}={quoted(value)}" for name, value in params.items())
    return PlanError(
        "build(params) must return a keras.Model of one input and one output that fit the data; "
        f"{problem}. Its parameters: {given or 'none'}"
    )
