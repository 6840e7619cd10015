"""What a training calls after its epochs: `keras.callbacks.Callback`s, or plain ones like them.

Imports no Keras, so that whoever listens is tested without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tuner.training.scores import NetworkLogs
from tuner.training.state import TrainingState


class StackModel(Protocol):
    """What a callback gets by `set_model`: of Keras's model the switch that ends the training,
    and what the training tells besides. In a real training it is the stack's Keras model."""

    stop_training: bool
    network_logs: NetworkLogs

    def network_weights(self) -> list[list[NDArray[np.float32]]]:
        """Each network's present weights, ordered as plain Keras `Sequential.get_weights()`."""

    def training_state(self) -> TrainingState | None:
        """Where the training stands after the present epoch, to go on from; None: it has no state
        that could be kept."""

    def fold_means(self, metric: str) -> list[float] | None:
        """The mean validation score over the folds of each plan after the present epoch, by
        `tuner.planning.fold_means.mean_over_folds`; NaN for a plan that had ended before. None:
        this epoch is not scored."""


class EpochCallback:
    """The part of `keras.callbacks.Callback` that a training calls, for those who need no more.

    `logs` holds means over the networks: `loss`, `accuracy`, ..., `val_loss`, `val_accuracy`,
    ..., `learning_rate`.
    """

    params: dict[str, Any] | None = None
    model: Any = None

    def set_params(self, params: dict[str, Any] | None) -> None:
        """`params["epochs"]` is how many there will be at most."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """`model` is a `StackModel`."""
        self.model = model

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Nothing, unless a subclass says so."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Nothing, unless a subclass says so."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Nothing, unless a subclass says so."""

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Nothing, unless a subclass says so."""


def start(
    callbacks: Sequence[EpochCallback], model: StackModel, *, epochs: int, steps: int | None = None
) -> None:
    """Tell `callbacks` that a training of `epochs` epochs of `steps` steps each begins."""
    for callback in callbacks:
        callback.set_model(model)
        callback.set_params({"epochs": epochs, "steps": steps})
    for callback in callbacks:
        callback.on_train_begin()
