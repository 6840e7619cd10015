"""The trials of a study, run one after another: ask, train the folds, score, tell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.pruners import NopPruner
from optuna.trial import TrialState
from sklearn.base import clone
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _score
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from tuner.sklearn.search.fits import SplitCache, StackedFits
from tuner.sklearn.search.stacked import SearchRows
from tuner.sklearn.search.study_parts import (
    EstimatorSpace,
    optuna_sampler,
)
from tuner.sklearn.search.trained_network import ScoreReporter, TrainedNetwork


class StudyTrials:
    """Runs trials and keeps every fold's fitted estimator, or its error, for scikit-learn's own
    evaluation of the candidates (`TrainedFits`).

    Args:
        search: a `StudySearchCV` in its `fit`.
        seed: of its sampler.

    Attributes:
        candidates, numbers, states, epochs: of every trial run: its parameters, its number in
            the study, `complete`, `pruned` or `failed`, and the most epochs a fold ran (0 if
            the estimator's own `fit` ran).
        seconds: of every fold's fit, trial by trial.
    """

    def __init__(
        self,
        search: BaseSearchCV,
        rows: SearchRows,
        study: optuna.Study,
        space: EstimatorSpace,
        splits: Sequence[Any],
        seed: int,
    ) -> None:
        self._study, self._space, self._splits, self._seed = study, space, splits, seed
        self._estimator, self._error_score = search.estimator, search.error_score
        self._sampler, self._refit = search.sampler, search.refit
        self._scorer, _ = search._get_scorers()
        self._rows = rows
        self._cache = SplitCache(splits, rows.X, rows.y, rows.fit_params)
        self._fitted: list[Mapping[str, Any] | Exception] = []
        self.candidates: list[dict[str, Any]] = []
        self.numbers: list[int] = []
        self.states: list[str] = []
        self.epochs: list[int] = []
        self.seconds: list[float | None] = []

    def has(self, task: int) -> bool:
        return True

    def install(self, task: int, estimator: Any) -> None:
        fitted = self._fitted[task]
        if isinstance(fitted, Exception):
            raise fitted
        vars(estimator).update(fitted)

    def run(self) -> None:
        """One trial, told to the study whatever becomes of it.

        Raises what a fold raises, if `error_score` is "raise".
        """
        number = len(self._study.get_trials(deepcopy=False))
        self._study.sampler = optuna_sampler(self._sampler, self._space, self._seed, number)
        trial, params = self._space.ask(self._study)
        try:
            self._run(trial, params)
        except BaseException:
            self._study.tell(trial, state=TrialState.FAIL)
            raise

    def _run(self, trial: optuna.Trial, params: dict[str, Any]) -> None:
        reporter = self._reporter(trial, params)
        fits = StackedFits(
            self._estimator,
            [params],
            self._cache,
            reporter=reporter,
        )
        values, epochs, failed = [], 0, False
        for split in range(len(self._splits)):
            own, started = self._candidate(params), time.perf_counter()
            seconds = None
            try:
                if fits.has(split):
                    network = fits.network(split)
                    epochs, seconds = max(epochs, network.scores.epochs_run), network.seconds
                    fits.install(split, own)
                else:
                    self._fit(split, own)
            except Exception as error:
                if self._error_score == "raise":
                    raise
                failed = True
                self._fitted.append(error)
            else:
                values.append(self._score(split, own))
                self._fitted.append(dict(vars(own)))
            self.seconds.append(time.perf_counter() - started if seconds is None else seconds)
        pruned = reporter is not None and reporter.pruned
        value = float(np.mean(values)) if values else float("nan")
        failed = failed or not np.isfinite(value)
        self.candidates.append(params)
        self.numbers.append(trial.number)
        self.states.append("failed" if failed else "pruned" if pruned else "complete")
        self.epochs.append(epochs)
        if failed:
            self._study.tell(trial, state=TrialState.FAIL)
        elif pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, value)

    def _candidate(self, params: Mapping[str, Any]) -> Any:
        return clone(self._estimator).set_params(**clone(dict(params), safe=False))

    def _fit(self, split: int, estimator: Any) -> None:
        """The estimator's own `fit` on a split."""
        rows, train = self._rows, self._splits[split][0]
        params = _check_method_params(rows.X, params=rows.fit_params, indices=train)
        X, y = _safe_split(estimator, rows.X, rows.y, train)
        estimator.fit(X, **params) if y is None else estimator.fit(X, y, **params)

    def _score(self, split: int, estimator: Any) -> float:
        """The score that the search is by, on the split's test rows."""
        rows, (train, test) = self._rows, self._splits[split]
        params = _check_method_params(rows.X, params=rows.score_params, indices=test)
        X, y = _safe_split(estimator, rows.X, rows.y, test, train)
        scores = _score(estimator, X, y, self._scorer, params, self._error_score)
        if not isinstance(scores, dict):
            return float(scores)
        known = self._refit in scores
        return float(scores[self._refit if known else next(iter(scores))])

    def _reporter(self, trial: optuna.Trial, params: Mapping[str, Any]) -> ScoreReporter | None:
        if isinstance(self._study.pruner, NopPruner):
            return None

        def score(split: int, network: TrainedNetwork) -> float:
            own = self._candidate(params)
            network.install(own)
            return self._score(split, own)

        return ScoreReporter(trial, score)
