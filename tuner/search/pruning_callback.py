"""A Keras callback that reports to Optuna and prunes. The search itself does not use it."""

from __future__ import annotations

import keras
import optuna

from tuner.search.reporting import TrialReports, monitored


class PruningCallback(keras.callbacks.Callback):
    """Stands in for optuna-integration's `KerasPruningCallback`, which was written for one model
    that is fitted once: called for each fold of a cross-validation in turn it reports steps that
    are reported already, and prunes on the first fold alone.

    This one reports `logs[monitor]` once per epoch. In `tuner`'s own training, where all folds
    advance together, the logs hold the means over the folds; with plain Keras `fit` they are that
    model's. If the pruner says so it sets `stop_training` and remembers `pruned`; raising
    `optuna.TrialPruned` is left to the caller, who first looks at the scores.

    Args:
        trial: an `optuna.Trial`.
        monitor: key of the logs, such as `val_accuracy`.
    """

    def __init__(self, trial: optuna.Trial, monitor: str) -> None:
        super().__init__()
        self._reports = TrialReports(trial, epochs=0)
        self._monitor = monitor

    @property
    def pruned(self) -> bool:
        """Whether the pruner ended the training."""
        return self._reports.pruned

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._reports.epochs = self.params["epochs"]

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Raises `TunerError` if the logs have no `monitor`."""
        reports = self._reports
        if reports.report(epoch, monitored(logs, self._monitor)):
            reports.judge()
            if reports.ended:
                self.model.stop_training = True
