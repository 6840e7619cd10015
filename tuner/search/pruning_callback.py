"""A Keras callback that reports to Optuna and prunes. Only worker processes import this."""

from __future__ import annotations

from typing import Any

import keras

from tuner.search.reporting import EpochReporter, ReportedTrial


class PruningCallback(keras.callbacks.Callback):
    """Stands in for optuna-integration's `KerasPruningCallback`, which was written for one model
    that is fitted once: called for each fold of a cross-validation in turn it reports steps that
    are reported already, and prunes on the first fold alone.

    This one reports `logs[monitor]` once per epoch. In `tuner`'s own training, where all folds
    advance together, the logs hold the means over the folds; with plain Keras `fit` they are that
    model's. Where the pruner says so it sets `stop_training` and remembers `pruned`; raising
    `optuna.TrialPruned` is left to the caller, who first looks at the scores.

    Args:
        trial: an `optuna.Trial`.
        monitor: key of the logs, such as `val_accuracy`.
    """

    def __init__(self, trial: ReportedTrial, monitor: str) -> None:
        super().__init__()
        self.reporter = EpochReporter(trial, monitor)

    @property
    def pruned(self) -> bool:
        """Whether the pruner ended the training."""
        return self.reporter.pruned

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        self.reporter.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self.reporter.set_model(model)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.reporter.on_epoch_end(epoch, logs)
