"""A network of somebody's own as a model of raw rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.data.columns.scaling import Scaling
from tuner.data.dataset import Dataset
from tuner.data.scaling import TargetScaling
from tuner.export.sequential import entering, leaving, probabilities

if TYPE_CHECKING:
    import keras

    from tuner.training.own.network import OwnNetwork


def build_own_model(
    network: OwnNetwork,
    dataset: Dataset,
    *,
    scaling: Scaling | None,
    target_scaling: TargetScaling | None,
    temperature: float | None,
    name: str,
) -> keras.Model:
    """A model around `network` that takes `(rows, features)`, scales them and gives them their
    shape, and answers probabilities, or values in their own unit; arguments as of
    `build_sequential`."""
    import keras

    inputs, *layers = entering(dataset.features, dataset.byte_scale, scaling)
    layers += [keras.layers.Reshape(network.row, name="shape"), network.model]
    if dataset.task != "regression" and not network.probabilities:
        layers += probabilities(dataset.task, temperature)
    answers = inputs
    for layer in layers + leaving(target_scaling, dataset.target_log):
        answers = layer(answers)
    return keras.Model(inputs, answers, name=name)
