"""Learning curves of stored trials: per fold, and their means over the folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.errors import NoCompletedTrialError
from tuner.planning.fold_means import mean_fold_curve
from tuner.results.trials import find_trial
from tuner.storage import records
from tuner.text import quoted, rounded

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


@dataclass(frozen=True, eq=False)
class MeanCurves:
    """What a trial scored after every epoch, as means over the folds.

    Attributes:
        train, validation: metric to `(epochs_run,)`. `train` holds those that are summed while
            training (`loss`, `accuracy`), `validation` these and all others (`r2`, `roc_auc`).
        learning_rate: `(epochs_run,)`, mean over the folds that ran the epoch.
        folds: the stored curves per fold.
    """

    train: dict[str, NDArray[np.float64]]
    validation: dict[str, NDArray[np.float64]]
    learning_rate: NDArray[np.float64]
    folds: records.Curves


def mean_curves(trial: FrozenTrial) -> MeanCurves | None:
    """The curves of a trial; None if the storage holds none.

    Means as of `tuner.planning.fold_means.mean_fold_curve`: the last one is the trial's value.
    """
    curves = records.read_curves(trial)
    if curves is None:
        return None
    epochs = records.recorded(trial, records.SCORE_EPOCHS)

    def mean(scores: NDArray[np.float32]) -> NDArray[np.float64]:
        return mean_fold_curve(scores, epochs or (), curves.status if epochs else ())

    running = np.ma.masked_invalid(curves.learning_rate.astype(np.float64))
    return MeanCurves(
        train={name: mean(scores) for name, scores in curves.train.items()},
        validation={name: mean(scores) for name, scores in curves.validation.items()},
        learning_rate=np.ma.filled(np.ma.mean(running, axis=1), np.nan),
        folds=curves,
    )


def curve_rows(study: Study, number: int) -> list[dict[str, Any]]:
    """One row an epoch of trial `number`.

    Keys, in Keras's spelling: `epoch` (from 1), `learning_rate`, `seconds`, for each metric its
    mean over the folds on training rows (`accuracy`) and on validation rows (`val_accuracy`),
    then the same per fold with `split0_`, `split1_`, ... in front. A metric that needs all
    predictions at once (`r2`, `f1_macro`) has no score on training rows. A trial that still
    runs, or that failed before its curves were kept, has `epoch` and `val_score`: the mean of
    the objective that it reported.

    Raises:
        UsageError: there is no such trial.
        NoCompletedTrialError: the trial has no epoch to show; the message says why.
    """
    trial = find_trial(study, number)
    curves = mean_curves(trial)
    if curves is not None:
        return _full_rows(curves)
    reported = sorted(trial.intermediate_values.items())
    if not reported:
        cause = records.recorded(trial, records.CAUSE)
        raise NoCompletedTrialError(
            f"a trial's curves begin with its first epoch; trial {number} of study "
            f"{quoted(study.study_name)} has none: it is {records.state_of(trial)}"
            + (f" ({cause})" if cause else "")
        )
    return [{"epoch": step + 1, "val_score": value} for step, value in reported]


def _full_rows(curves: MeanCurves) -> list[dict[str, Any]]:
    folds = curves.folds
    rows = []
    for epoch, seconds in enumerate(folds.epoch_seconds):
        row: dict[str, Any] = {
            "epoch": epoch + 1,
            "learning_rate": rounded(curves.learning_rate[epoch]),
            "seconds": rounded(seconds),
        }
        for name in folds.validation:
            if name in folds.train:
                row[name] = rounded(curves.train[name][epoch])
            row[f"val_{name}"] = rounded(curves.validation[name][epoch])
        for fold in range(len(folds.status)):
            for name, scores in folds.validation.items():
                if name in folds.train:
                    row[f"split{fold}_{name}"] = rounded(folds.train[name][epoch, fold])
                row[f"split{fold}_val_{name}"] = rounded(scores[epoch, fold])
        rows.append(row)
    return rows
