"""A study as scikit-learn's `cv_results_`: one row a candidate, in candidate order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuner.planning.metrics import METRICS
from tuner.results.ranking import ranks
from tuner.results.trials import (
    fold_scores_of,
    maximizes,
    metrics_of,
    numbers,
    trials_of,
)
from tuner.search.tickets import given_params
from tuner.storage import records

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

Scores = NDArray[np.float64]


def cv_results(study: Study, *, train_scores: bool = False) -> dict[str, Any]:
    """What `GridSearchCV.cv_results_` holds, by its keys, in its order and with its types.

    - `mean_fit_time`, `std_fit_time`, `mean_score_time`, `std_score_time`: seconds of a fold. The
      folds of a candidate, and often several candidates, train at a time: the time of a stack is
      shared evenly among those it counts for, so `std_fit_time` is 0; validating is part of
      training, so the score times are 0.
    - `param_*`: masked arrays, masked if a candidate has no such parameter; `params`: a list.
    - `split{i}_test_score`, `mean_test_score`, `std_test_score`, `rank_test_score`; with several
      metrics `..._test_<metric>` for each instead. Scores are as the metric has them, a loss
      is not negated; rank 1 is the best by the metric's own direction. NaN: a fold that diverged,
      and all folds of a candidate that was pruned or has not run; ranks put it last.
    - with `train_scores`, `split{i}_running_train_score` and so on, if the metric is taken
      in training: NOT what scikit-learn's `return_train_score` gives, which scores the trained
      model again. It is the mean over the batches of the epoch that the fold is scored by, each
      batch scored just before the step that it causes, with dropout, as Keras's history has it.
    """
    trials = sorted(trials_of(study), key=_candidate)
    metrics = metrics_of(study)
    folds = _folds(trials)
    table: dict[str, Any] = {}
    durations = np.array(numbers(records.recorded(trial, records.DURATION) for trial in trials))
    seconds = np.repeat(durations[:, None] / max(1, folds), folds, axis=1)
    _store(table, "fit_time", seconds)
    _store(table, "score_time", seconds * 0.0)
    params = [given_params(trial) for trial in trials]
    table |= _param_columns(params)
    table["params"] = params
    train = [_train_scores(trial, folds) for trial in trials] if train_scores else []
    for name in metrics:
        suffix = name if len(metrics) > 1 else "score"
        scores = np.array([_test_scores(t, name, metrics[0], folds) for t in trials])
        scores = scores.reshape(len(trials), folds)
        _store(table, f"test_{suffix}", scores, splits=True)
        larger = _maximized(study, name)
        table[f"rank_test_{suffix}"] = ranks(table[f"mean_test_{suffix}"], maximize=larger)
        if any(name in own for own in train):
            missing = [math.nan] * folds
            running = np.array([own.get(name, missing) for own in train])
            _store(table, f"running_train_{suffix}", running, splits=True)
    return table


def cv_rows(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns of `cv_results` as one mapping a candidate; None if a column is masked."""
    return [
        {
            name: None if np.ma.is_masked(column[row]) else column[row]
            for name, column in table.items()
        }
        for row in range(len(table["params"]))
    ]


def _candidate(trial: FrozenTrial) -> tuple[int, int]:
    """A retry has its candidate's place; trials of nobody's ticket come last, by number."""
    ticket = records.recorded(trial, records.TICKET)
    return (0, ticket) if ticket is not None else (1, trial.number)


def _maximized(study: Study, metric: str) -> bool:
    if metric in METRICS:
        return METRICS[metric].direction == "maximize"
    return maximizes(study)


def _folds(trials: Sequence[FrozenTrial]) -> int:
    return max((len(fold_scores_of(t)) for t in trials), default=0)


def _test_scores(trial: FrozenTrial, metric: str, objective: str, folds: int) -> list[float]:
    """One score a fold; NaN if a fold diverged or was not trained to its end."""
    stored = (records.recorded(trial, records.METRICS) or {}).get(metric)
    if stored is None and metric == objective:
        stored = records.recorded(trial, records.FOLD_SCORES)
    ended = records.state_of(trial) in ("complete", "failed")
    if stored is None or len(stored) != folds or not ended:
        return [math.nan] * folds
    return numbers(stored)


def _train_scores(trial: FrozenTrial, folds: int) -> dict[str, list[float]]:
    """Metric to the fold's training score at the epoch it is scored by."""
    curves = records.read_curves(trial)
    ends = records.recorded(trial, records.SCORE_EPOCHS)
    if curves is None or ends is None or len(ends) != folds or records.state_of(trial) == "pruned":
        return {}
    return {
        name: [float(curve[end - 1, fold]) for fold, end in enumerate(ends)]
        for name, curve in curves.train.items()
    }


def _store(table: dict[str, Any], name: str, scores: Scores, *, splits: bool = False) -> None:
    if splits:
        for fold in range(scores.shape[1]):
            table[f"split{fold}_{name}"] = scores[:, fold]
    empty = np.full(len(scores), np.nan)
    table[f"mean_{name}"] = scores.mean(axis=1) if scores.shape[1] else empty
    table[f"std_{name}"] = scores.std(axis=1) if scores.shape[1] else empty


def _param_columns(params: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`param_*` as scikit-learn makes them: the values' own dtype, but object for text."""
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for own in params for name in own):
        values = {row: own[name] for row, own in enumerate(params) if name in own}
        natural = np.array(list(values.values()))
        dtype = object if natural.dtype.kind == "U" or natural.ndim != 1 else natural.dtype
        column = np.ma.MaskedArray(np.empty(len(params), dtype=dtype), mask=True)
        for row, value in values.items():
            column[row] = value
        columns[f"param_{name}"] = column
    return columns
