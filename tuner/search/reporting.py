"""After every epoch: a report of each trial's mean over the folds, and whether training goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import optuna

from tuner.errors import TunerError, unknown
from tuner.search.rungs import rungs_of
from tuner.storage.backend import LostTrialError
from tuner.storage.retry import is_transient
from tuner.training.callbacks import EpochCallback

#: Seconds for which the reports of fast epochs are collected before they are written.
FLUSH = 0.5


def monitored(logs: Mapping[str, float] | None, monitor: str) -> float:
    """`logs[monitor]`. Raises `TunerError` if there is none."""
    if logs is None or monitor not in logs:
        raise TunerError(unknown("score to monitor", monitor, logs or ()))
    return float(logs[monitor])


class TrialReports:
    """One trial's reports: a value an epoch, at step `epoch`, and what the pruner says to them.

    Args:
        trial: an `optuna.Trial`.
        epochs: how many it trains.
        several: the study has several objectives, so that nothing is pruned.

    Attributes:
        values: the reported values by epoch from 0.
        logs: Keras's logs of the last epoch, means over the folds.
        pruned: the pruner ended the trial.
        diverged: a value was not finite: the mean over the folds never will be again.
        lost: the trial turned out to be another worker's.
    """

    def __init__(self, trial: optuna.Trial, epochs: int, *, several: bool = False) -> None:
        self.trial = trial
        self.several = several
        self.epochs = epochs
        self.values: dict[int, float] = {}
        self.logs: Mapping[str, float] = {}
        self.pruned = False
        self.diverged = False
        self.lost: LostTrialError | None = None

    @property
    def ended(self) -> bool:
        """Whether training it further would be in vain."""
        return self.pruned or self.diverged or self.lost is not None

    def add(self, values: Sequence[float]) -> None:
        """Report the values of the first epochs, those that were not reported yet, up to the
        first that is not finite: from there on they never are again."""
        for epoch, value in enumerate(values):
            self.report(epoch, value)
            if not math.isfinite(value):
                break

    def report(self, epoch: int, value: float) -> bool:
        """False if the epoch was reported before."""
        if epoch in self.values:
            return False
        self.values[epoch] = value
        if not self.several:
            self.trial.report(value, step=epoch)
        else:  # Optuna reports and prunes for one objective alone; the curve is kept all the same
            self.trial.storage.set_trial_intermediate_value(self.trial._trial_id, epoch, value)
        return True

    def judge(self) -> None:
        """Decide after the epoch just reported whether the trial goes on. Nothing is pruned after
        the last epoch: its score is paid for."""
        epoch, value = next(reversed(self.values.items()))
        if not math.isfinite(value):
            self.diverged = True
        elif epoch + 1 < self.epochs and not self.several:
            self.pruned = self.trial.should_prune()


class EpochReporter(EpochCallback):
    """Tells of every epoch of a group's training, and ends the training if nobody needs more.

    Args:
        trials: for each plan of the training, those it serves that are this worker's.
        metric: its mean over the folds is a trial's value.
        flush: writes what a trial reported to the storage; None: the trials are reported with
            their results, and none of them is pruned.
        ending: true if the training shall end and its trials be given back.
        tell: told (trial, epoch from 1, value) of every epoch that a trial has a value for: what
            is told is what the storage holds.

    Attributes:
        stopped: it was ended because of `ending`.
    """

    def __init__(
        self,
        trials: Sequence[Sequence[TrialReports]],
        metric: str,
        *,
        flush: Callable[[optuna.Trial], Any] | None = None,
        ending: Callable[[], bool] = lambda: False,
        tell: Callable[[TrialReports, int, float], None] = lambda trial, epoch, value: None,
    ) -> None:
        self.stopped = False
        self._trials = trials
        self._metric = metric
        self._flush = flush
        self._ending = ending
        self._tell = tell
        self._flushed_at = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """`epoch` counts from 0. Raises `TunerError` if the metric is not scored."""
        monitored(logs, f"val_{self._metric}")
        means = self.model.fold_means(self._metric)
        if means is not None and self._report(epoch, means, logs):
            self.model.stop_training = True
            return
        last = self.params is not None and epoch + 1 == self.params["epochs"]
        if not last and self._ending():
            self.stopped = self.model.stop_training = True

    def _report(self, epoch: int, means: Sequence[float], logs: Mapping[str, float] | None) -> bool:
        """Whether nobody needs the training any more."""
        running = [
            (trial, mean)
            for trials, mean in zip(self._trials, means, strict=True)
            for trial in trials
            if not trial.ended and epoch < trial.epochs
        ]
        if self._flush is not None:
            for trial, mean in running:
                trial.report(epoch, mean)
            self._write([trial for trial, _ in running], self._flush)
        for trials, own in zip(self._trials, self._logs_of_each(logs), strict=True):
            for trial in trials:
                trial.logs = own
        for trial, mean in running:
            # NaN: its folds have all ended while others of the stack go on, or it diverged.
            if not math.isnan(mean):
                self._tell(trial, epoch + 1, mean)
        if self._flush is None:
            return False
        # Asked before anything else ends the training: who goes on from here another time
        # does not ask again about this epoch.
        for trial, _ in running:
            if not trial.ended:
                trial.judge()
        return all(trial.ended for trial, _ in running)

    def _logs_of_each(self, logs: Mapping[str, float] | None) -> Iterator[Mapping[str, float]]:
        """By plan the means of its own networks: those of `logs`, if there is one plan."""
        if len(self._trials) == 1:
            yield logs or {}
            return
        held = self.model.network_logs
        for plan in range(len(self._trials)):
            own = {}
            for before, scores in (("", held.train), ("val_", held.validation)):
                for name, values in scores.items():
                    folds = len(values) // len(self._trials)
                    of_plan = values[plan * folds : (plan + 1) * folds]
                    ran = of_plan[~np.isnan(of_plan)]
                    own[f"{before}{name}"] = float(ran.mean()) if len(ran) else math.nan
            yield own

    def notes(self) -> dict[str, Any]:
        """What a checkpoint holds of a trial that is reported in every epoch: its reports, and
        what the pruner has noted of it."""
        if self._flush is None:
            return {}
        [[own]] = self._trials
        trial = own.trial.storage.get_trial(own.trial._trial_id)
        return {"reports": list(own.values.values()), "rungs": rungs_of(trial)}

    def restore(self, notes: Mapping[str, Any]) -> None:
        """Report once more what was reported before an interruption: the pruner was asked then,
        and the watchers were told."""
        if self._flush is not None:
            [[own]] = self._trials
            own.add(notes["reports"])
            for name, value in notes["rungs"].items():
                own.trial.storage.set_trial_system_attr(own.trial._trial_id, name, value)

    def _write(self, trials: Sequence[TrialReports], flush: Callable[[optuna.Trial], Any]) -> None:
        if time.monotonic() - self._flushed_at < FLUSH:
            return
        self._flushed_at = time.monotonic()
        for trial in trials:
            try:
                flush(trial.trial)
            except LostTrialError as error:
                trial.lost = error
            except Exception as error:
                # What passes is written with the next reports, or with the result.
                if not is_transient(error):
                    raise
