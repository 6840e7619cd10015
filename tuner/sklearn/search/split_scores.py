"""The scores of a candidate on the splits: to what a study keeps, and back to what scikit-learn
makes its table of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from tuner.storage import records
from tuner.text import shortened
from tuner.training.scores import TrialScores

#: How a study calls a scikit-learn score, of which more is better: `maximize:NAME`.
SCORE = "maximize:"
#: Characters that are kept of what a fit raised.
MOST_OF_AN_ERROR = 1000


class SplitScores(TrialScores):
    """Of a candidate whose epochs were reported as they came, or were not scored at all."""

    def mean_curve(self, metric: str) -> NDArray[np.float64]:
        return np.zeros(0)


def search_score(scores: Any, metric: str) -> float:
    """Of a scorer's answer, the score that the search is by."""
    if not isinstance(scores, Mapping):
        return float(scores)
    name = metric.removeprefix(SCORE)
    return float(scores[name] if name in scores else next(iter(scores.values())))


def candidate_scores(
    results: Sequence[Mapping[str, Any] | None],
    networks: Sequence[TrialScores | None],
    metrics: Sequence[str],
    curves: Mapping[int, Mapping[int, float]],
) -> TrialScores:
    """What a study keeps of a candidate.

    Args:
        results: of `_fit_and_score` by split; None for those that were not begun.
        networks: how those that trained in a stack did.
        metrics: names of the scores, that which the search is by first.
        curves: by epoch that was scored, the scores by split.
    """
    trained = [own for own in networks if own is not None]
    epochs, splits = max((own.epochs_run for own in trained), default=1), len(results)
    loss, rates = np.full((2, epochs, splits), np.nan)
    for split, own in enumerate(networks):
        if own is not None:
            loss[: own.epochs_run, split] = own.train["loss"][:, 0]
            rates[: own.epochs_run, split] = own.learning_rate[:, 0]
    validation = {name: np.full((epochs, splits), np.nan) for name in metrics}
    for epoch, scored in curves.items():
        for split, value in scored.items():
            validation[metrics[0]][epoch, split] = value
    for split, result in enumerate(results):
        if result is not None and result["fit_error"] is None:
            for position, name in enumerate(metrics):
                whole = not position or not isinstance(result["test_scores"], Mapping)
                scores = result["test_scores"]
                plain = name.removeprefix(SCORE)
                value = search_score(scores, name) if whole else scores.get(plain, math.nan)
                validation[name][-1, split] = value
    seconds = trained[0].epoch_seconds if trained else np.zeros(1)
    if len(seconds) != epochs or not trained:
        whole_time = sum(result["fit_time"] for result in results if result is not None)
        seconds = np.full(epochs, whole_time / epochs)
    interrupted = [result is None for result in results]
    for split, own in enumerate(networks):
        interrupted[split] |= own is not None and own.status[0] == "interrupted"
    errors = {
        split: result["fit_error"]
        for split, result in enumerate(results)
        if result is not None and result["fit_error"] is not None
    }
    return SplitScores(
        train={"loss": loss} if trained else {},
        validation=validation,
        learning_rate=rates,
        epoch_seconds=seconds,
        score_epoch=np.full(splits, epochs),
        status=tuple("interrupted" if own else "completed" for own in interrupted),
        failure=next((f"split {split}: {error}" for split, error in errors.items()), None),
        record=[_kept(result) for result in results],
    )


def result_of(trial: FrozenTrial, splits: int, names: Sequence[str]) -> list[dict[str, Any]]:
    """The results of a stored trial as `_fit_and_score` gave them, one a split.

    One that was lost with its worker, or never began, has what it ended of for an error, and the
    scores NaN under `names` (none: a single one).
    """
    record = trial.system_attrs.get(records.RECORD)
    if isinstance(record, list) and len(record) == splits and all(record):
        return [{name: _read(name, value) for name, value in own.items()} for own in record]
    nothing = dict.fromkeys(names, math.nan) if names else math.nan
    error = records.recorded(trial, records.CAUSE) or "it did not end"
    return [
        {
            "fit_error": error,
            "test_scores": nothing,
            "train_scores": nothing,
            "fit_time": 0.0,
            "score_time": 0.0,
            "n_test_samples": 0,
        }
        for _ in range(splits)
    ]


def _kept(result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if result is None:
        return None
    error = result["fit_error"]
    kept = {name: _json(value) for name, value in result.items() if name != "fit_error"}
    return {**kept, "fit_error": None if error is None else shortened(error, MOST_OF_AN_ERROR)}


def _json(value: Any) -> Any:
    """What is not finite is None."""
    if isinstance(value, Mapping):
        return {str(name): _json(own) for name, own in value.items()}
    return float(value) if math.isfinite(value) else None


def _read(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _read(name, own) for key, own in value.items()}
    return math.nan if value is None and name != "fit_error" else value
