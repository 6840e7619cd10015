"""The trained network as a plain Keras `Sequential`: nothing in it is `tuner`'s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.columns.scaling import Scaling
from tuner.data.dataset import Task
from tuner.errors import TunerError
from tuner.planning.network import layers_of, through
from tuner.planning.plan import ModelPlan

if TYPE_CHECKING:
    import keras

#: The last layer's activation: what turns its sums into probabilities or values.
OUTPUT_ACTIVATION: dict[Task, str] = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "multilabel": "sigmoid",
    "regression": "linear",
}


def build_sequential(
    plan: ModelPlan,
    weights: Sequence[NDArray[np.float32]],
    *,
    task: Task,
    byte_scale: float = 1.0,
    scaling: Scaling | None = None,
    target_scaling: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    target_log: bool = False,
    temperature: float | None = None,
    name: str = "tuner",
) -> keras.Sequential:
    """A `Sequential` that takes raw, flattened features and gives probabilities or values.

    Layers: input scaling `x * (byte_scale * scale) + shift` (a `Rescaling`, left out if it
    would change nothing) and, if the scaling has one, its smooth clip (a model of its own), then
    those of the plan, then the output Dense with its activation, and for regression
    `y * std + mean` (a `Rescaling`), then, for targets trained as log(1 + target), `exp(y)` (an
    `Activation`) and `y - 1` (a `Rescaling`).

    Args:
        plan: the network's shape.
        weights: in the order of `Sequential.get_weights()`: per hidden layer the Dense kernel
            `(inputs, units)` and bias `(units,)`, then gamma, beta, moving mean and moving
            variance if there is batch normalisation; the output kernel and bias last.
        task: decides the activation of the output.
        byte_scale: factor that brings uint8 features to 0..1.
        scaling: of the inputs; None: the identity.
        target_scaling: mean and standard deviation, each `(outputs,)`, that training took out
            of regression targets.
        target_log: they are those of log(1 + target).
        temperature: of classes, what the output's sums are divided by before its activation, by
            layers of their own; None: the activation is the output's.
        name: the model's name.

    Raises:
        TunerError: the weights do not fit the shape.
    """
    import keras

    from tuner.training.layers import STACKED

    *inner, last = layers_of(plan)
    plain = {layer.name: STACKED[type(layer)].plain(layer, plan) for layer in inner}
    activation = OUTPUT_ACTIVATION[task] if temperature is None else None
    plain[last.name] = keras.layers.Dense(plan.outputs, activation=activation, name=last.name)
    before = entering(plan.features, byte_scale, scaling)
    behind = leaving(target_scaling, target_log)
    if temperature is not None:
        behind += probabilities(task, temperature)
    if all(isinstance(layer, keras.layers.Layer) for layer in plain.values()):
        model = keras.Sequential([*before, *plain.values(), *behind], name=name)
    else:
        inputs = keras.Input((plan.features,), dtype="float32", name="features")
        x = inputs
        for layer in before[1:]:
            x = layer(x)
        x = through((*inner, last), x, lambda layer, *values: plain[layer.name](*values))
        for layer in behind:
            x = layer(x)
        model = keras.Model(inputs, x, name=name)
    expected = [tuple(weight.shape) for weight in model.weights]
    received = [tuple(np.shape(weight)) for weight in weights]
    if expected != received:
        raise TunerError(
            f"the weights of an exported model must have the shapes {expected} (Dense kernel and "
            f"bias, batch normalisation's four, layer by layer); received {received}"
        )
    model.set_weights([np.asarray(weight, dtype=np.float32) for weight in weights])
    return model


def entering(features: int, byte_scale: float, scaling: Scaling | None) -> list[Any]:
    """The layers before a network: raw rows in, scaled ones out; arguments as of
    `build_sequential`."""
    import keras

    layers: list[Any] = [keras.Input((features,), dtype="float32", name="features")]
    if byte_scale != 1.0 or scaling is not None:
        layers.append(
            keras.layers.Rescaling(
                scale=_plain(
                    byte_scale if scaling is None else byte_scale * np.float64(scaling.scale)
                ),
                offset=_plain(0.0 if scaling is None else scaling.shift),
                name="input_scaling",
            )
        )
    if scaling is not None and scaling.clip is not None:
        values = keras.Input((features,), dtype="float32")
        bent = smooth_clip(values, scaling.clip)
        layers.append(keras.Model(values, bent, name="smooth_clip"))
    return layers


def smooth_clip(values: Any, clip: NDArray[np.float32]) -> Any:
    """`v / sqrt(1 + (v * clip)^2)` of `(rows, columns)`, `clip` `(columns,)`: see `Scaling`."""
    from keras import ops

    return values / ops.sqrt(1.0 + ops.square(values * clip[None, :]))


def probabilities(task: Task, temperature: float | None) -> list[Any]:
    """The layers that make probabilities of logits, divided by `temperature` if there is one."""
    import keras

    layers: list[Any] = [keras.layers.Activation(OUTPUT_ACTIVATION[task], name="answers")]
    if temperature is not None:
        layers.insert(0, keras.layers.Rescaling(1 / temperature, name="temperature"))
    return layers


def leaving(target_scaling: Any, target_log: bool) -> list[Any]:
    """The layers behind a regression's network: answers in the targets' own unit."""
    import keras

    layers: list[Any] = []
    if target_scaling is not None:
        mean, std = target_scaling
        layers.append(
            keras.layers.Rescaling(scale=_plain(std), offset=_plain(mean), name="target_scaling")
        )
    if target_log:
        layers.append(keras.layers.Activation("exponential", name="target_exp"))
        layers.append(keras.layers.Rescaling(scale=1.0, offset=-1.0, name="target_log"))
    return layers


def _plain(value: Any) -> Any:
    """A float, or a list of floats: what every version of Keras reads back from its JSON."""
    array = np.asarray(value, dtype=np.float64)
    return array.tolist()
