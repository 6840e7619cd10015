"""What a search is over: an estimator, rows, splits, scores and a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from sklearn.base import clone

from tuner.sklearn.search.study_parts import EstimatorSpace


@dataclass(frozen=True, eq=False)
class SearchTask:
    """What a search is over.

    Attributes:
        splits: (train, test) row numbers.
        fit_params, score_params: what scikit-learn routes to the estimator and the scorer.
        metrics: names of the scores as the study calls them, that which the search is by first.
        settings: `error_score`, `return_train_score` and `verbose` of `_fit_and_score`.
        space: of the candidates.
        sampler, pruner: objects of Optuna's, or None.
        hash: of all that a score depends on; empty if nothing outlives the search.
        prunes: whether the score after every epoch is wanted.
    """

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    scorer: Any
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    metrics: tuple[str, ...]
    settings: Mapping[str, Any]
    space: EstimatorSpace
    sampler: BaseSampler | None
    pruner: BasePruner | None
    hash: str
    prunes: bool

    def candidate(self, params: Mapping[str, Any]) -> Any:
        """The estimator with a candidate's parameters, unfitted."""
        return clone(self.estimator).set_params(**clone(dict(params), safe=False))
