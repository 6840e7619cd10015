"""One report per epoch: the mean over the folds, and the decision whether to go on.

Keras is not imported here: `tuner.search.pruning_callback.PruningCallback` makes `EpochReporter` a
`keras.callbacks.Callback`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tuner.errors import TunerError, unknown
from tuner.storage.backend import LostTrialError
from tuner.storage.retry import is_transient
from tuner.training.callbacks import EpochCallback


class ReportedTrial(Protocol):
    """What is used of `optuna.Trial`."""

    def report(self, value: float, step: int) -> None: ...

    def should_prune(self) -> bool: ...


class EpochReporter(EpochCallback):
    """Reports `logs[monitor]` as the trial's value at step `epoch`, once per epoch, and ends the
    training where the pruner says so.

    Nothing is pruned after the last epoch: its score is paid for. A value that is not finite ends
    the training too: the mean over the folds can never be finite again.

    Args:
        trial: an `optuna.Trial`.
        monitor: key of the logs, such as `val_accuracy`.
        epochs: how many the training has; None: as many as Keras's `params["epochs"]` says.
        flush: writes what was reported to the storage.
        flush_every: seconds; reports of faster epochs are written together.
        stop: true where the training shall end and the trial be given back.
        on_epoch: told (epoch from 1, value) after each report.

    Attributes:
        values: the reported values by epoch from 0.
        pruned, stopped, diverged: why the training was ended from here.
        lost: the trial turned out to be another worker's.
    """

    def __init__(
        self,
        trial: ReportedTrial,
        monitor: str,
        *,
        epochs: int | None = None,
        flush: Callable[[], Any] = lambda: None,
        flush_every: float = 0.0,
        stop: Callable[[], bool] = lambda: False,
        on_epoch: Callable[[int, float], None] = lambda epoch, value: None,
    ) -> None:
        self.values: dict[int, float] = {}
        self.pruned = False
        self.stopped = False
        self.diverged = False
        self.lost: LostTrialError | None = None
        self._trial = trial
        self._monitor = monitor
        self._epochs = epochs
        self._flush = flush
        self._flush_every = flush_every
        self._flushed_at = time.monotonic()
        self._stop = stop
        self._on_epoch = on_epoch

    def set_params(self, params: dict[str, Any] | None) -> None:
        if self._epochs is None and params:
            self._epochs = params.get("epochs")

    def resume(self, values: Sequence[float]) -> None:
        """Report once more what was reported in the first epochs, before an interruption: the
        pruner was asked then, and the watchers were told."""
        for epoch, value in enumerate(values):
            self.values[epoch] = value
            self._trial.report(value, step=epoch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """`epoch` counts from 0. Raises `TunerError` where the logs have no `monitor`."""
        if epoch in self.values:
            return
        if logs is None or self._monitor not in logs:
            raise TunerError(unknown("score to monitor", self._monitor, logs or ()))
        value = float(logs[self._monitor])
        self.values[epoch] = value
        self._trial.report(value, step=epoch)
        self._write()
        self._on_epoch(epoch + 1, value)
        if self.lost is not None:
            self._end()
        elif not math.isfinite(value):
            self.diverged = True
            self._end()
        elif self._epochs is not None and epoch + 1 >= self._epochs:
            return
        elif self._trial.should_prune():
            # Asked before anything else ends the training: who goes on from here another time
            # does not ask again about this epoch.
            self.pruned = True
            self._end()
        elif self._stop():
            self.stopped = True
            self._end()

    def _write(self) -> None:
        if time.monotonic() - self._flushed_at < self._flush_every:
            return
        self._flushed_at = time.monotonic()
        try:
            self._flush()
        except LostTrialError as error:
            self.lost = error
        except Exception as error:
            # What passes is written with the next reports, or with the result.
            if not is_transient(error):
                raise

    def _end(self) -> None:
        self.model.stop_training = True
