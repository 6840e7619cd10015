"""One trained network as a Keras model of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.data import Dataset
from tuner.export.own_model import build_own_model
from tuner.export.sequential import build_sequential
from tuner.export.trained import TrainedNetwork

if TYPE_CHECKING:
    import keras


def build_network(trained: TrainedNetwork, dataset: Dataset, name: str = "tuner") -> keras.Model:
    """A model that takes raw rows `(rows, features)`, of a table its columns as
    `TableEncoding.inputs` gives them, and answers probabilities, or values in their own unit."""
    # The columns of a table are scaled before they enter.
    scaling = trained.scaling if dataset.encoding is None else None
    if trained.network is not None:
        return build_own_model(
            trained.network,
            dataset,
            scaling=scaling,
            target_scaling=trained.target_scaling,
            temperature=trained.temperature,
            name=name,
        )
    return build_sequential(
        trained.plan.model,
        trained.weights,
        task=dataset.task,
        byte_scale=dataset.byte_scale,
        scaling=scaling,
        target_scaling=trained.target_scaling,
        target_log=dataset.target_log,
        temperature=trained.temperature,
        name=name,
    )
