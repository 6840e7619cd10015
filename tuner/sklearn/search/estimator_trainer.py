"""What the tickets of a search over an estimator train: all splits of a candidate, fitted and
scored by scikit-learn's own code, networks of ours in stacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection._validation import _fit_and_score, _score
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from tuner.errors import PlanError
from tuner.planning.cost import estimate
from tuner.sklearn.search.candidates import plan_candidates
from tuner.sklearn.search.contexts import FitContext, Nobody
from tuner.sklearn.search.fits import SplitCache, StackedFits, candidate_of
from tuner.sklearn.search.pipeline_steps import final_estimator, steps_key
from tuner.sklearn.search.search_task import SearchTask
from tuner.sklearn.search.split_scores import candidate_scores, search_score
from tuner.sklearn.search.trained_network import TrainedNetwork
from tuner.sklearn.search.watching import Pauses, ScoreWatch, Watch
from tuner.training.callbacks import EpochCallback
from tuner.training.grouping import Stacking, stacking_of
from tuner.training.identity import training_identity
from tuner.training.scores import TrialScores
from tuner.training.state import TrainingState


@dataclass(eq=False)
class EstimatorPlan:
    """A candidate: the estimator's parameters, and the most epochs that it trains (1 if the
    estimator's own `fit` does)."""

    params: dict[str, Any]
    epochs: int
    stacking: Stacking | None = field(default=None, repr=False)


class EstimatorTrainer:
    """A `TrainerLike` over a `SearchTask`.

    Seeds are the estimator's own matter: its `random_state`.

    Args:
        caller: the search that scikit-learn's callbacks are told of.
        context: makes the context of these for one fit; None: there are none.

    Attributes:
        error: what a fit raised, if `error_score` is "raise"; or a scorer.
    """

    def __init__(
        self, task: SearchTask, caller: Any = None, context: Callable[[], Any] | None = None
    ) -> None:
        self.folds = len(task.splits)
        self.data_hash = task.hash
        self.sampler, self.pruner = task.sampler, task.pruner
        self.error: Exception | None = None
        self._task = task
        self._caller = caller
        self._context = context
        self._cache = SplitCache(task.splits, task.X, task.y, task.fit_params)

    def plan(self, params: Mapping[str, Any]) -> EstimatorPlan:
        own = self._task.space.params(params)
        try:
            estimator = self._task.candidate(own)
        except ValueError as error:  # a name that it does not have
            raise PlanError(str(error)) from error
        epochs = getattr(final_estimator(estimator), "epochs", 1)
        return EstimatorPlan(own, epochs if isinstance(epochs, int) and epochs > 0 else 1)

    def stacking(self, plan: EstimatorPlan) -> Stacking:
        """That of its network, among candidates whose pipelines begin alike. What shares a
        training shares it inside of the stack, where each candidate has weights of its own."""
        if plan.stacking is None:
            plan.stacking = self._stacking(plan)
        return plan.stacking

    def _stacking(self, plan: EstimatorPlan) -> Stacking:
        candidate = candidate_of(self._task.estimator, 0, plan.params, self.folds)
        if candidate is not None:
            key = steps_key(self._task.estimator, plan.params, candidate.final)
            splits, _ = self._cache.read(key, candidate.estimator)
            groups = plan_candidates([candidate], splits, 0.0)
            if len(groups) == 1:
                [group], [own] = groups, groups[0].plans.values()
                task = group.rows.dataset.task
                found = stacking_of(own, task, estimate(own, group.folds))
                return replace(found, kind=(key, found.kind), training=None, update=None)
        return Stacking(kind=object(), training=None, most=1)

    def identity(
        self, plans: Sequence[EstimatorPlan], seeds: Sequence[Sequence[int]]
    ) -> dict[str, str]:
        """Networks whose seeds are drawn anew for every fit go on from nothing."""
        drawn = []
        for plan in plans:
            candidate = candidate_of(self._task.estimator, 0, plan.params, self.folds)
            drawn.append(() if candidate is None else candidate.seeds)
        params = [{name: repr(value) for name, value in plan.params.items()} for plan in plans]
        return training_identity({"plans": params, "seeds": drawn, "data": self.data_hash})

    def train(
        self,
        plans: Sequence[EstimatorPlan],
        seeds: Sequence[Sequence[int]],
        *,
        callbacks: Sequence[EpochCallback] = (),
        state: TrainingState | None = None,
    ) -> list[TrialScores]:
        """Raises what a fit raises, if `error_score` is "raise"."""
        task, folds = self._task, self.folds
        score = self._score_of(plans[0]) if task.prunes and len(plans) == 1 else None
        watch = ScoreWatch(task.metrics[0], score, kept=bool(task.hash))
        fits = StackedFits(
            task.estimator,
            [plan.params for plan in plans],
            self._cache,
            watch=Watch(watch, callbacks, state),
        )
        with closing(fits):
            stacked = [fits.has(number) for number in range(len(plans) * folds)]
            networks = [
                _scores(fits, number) if has else None for number, has in enumerate(stacked)
            ]
            pauses = Pauses([] if any(stacked) else callbacks, task.metrics[0], folds)
            results: list[dict[str, Any] | None] = []
            for number, has in enumerate(stacked):
                if number and pauses.ended(number - 1):
                    results.append(None)
                    continue
                results.append(self._evaluate(plans[number // folds], number, fits, has))
        return [
            candidate_scores(
                results[first : first + folds],
                networks[first : first + folds],
                task.metrics,
                watch.curves,
            )
            for first in range(0, len(plans) * folds, folds)
        ]

    def _evaluate(
        self, plan: EstimatorPlan, number: int, fits: StackedFits, stacked: bool
    ) -> dict[str, Any]:
        """What scikit-learn's `_fit_and_score` says of a split, the error in one line."""
        task = self._task
        train, test = task.splits[number % self.folds]
        context = Nobody() if self._context is None else self._context()
        fit = FitContext(context, fits, number)
        if stacked and self._context is None and not task.settings["return_train_score"]:
            train = np.empty(0, np.intp)  # nobody will look at these rows
        try:
            result: dict[str, Any] = _fit_and_score(
                clone(task.estimator),
                task.X,
                task.y,
                scorer=task.scorer,
                train=train,
                test=test,
                parameters=plan.params,
                fit_params=task.fit_params,
                score_params=task.score_params,
                split_progress=(number % self.folds, self.folds),
                return_n_test_samples=True,
                return_times=True,
                caller=self._caller,
                callback_ctx=fit,
                **task.settings,
            )
        except Exception as error:
            self.error = error
            raise
        if stacked:
            result["fit_time"] = fits.seconds[number] or 0.0
        if fit.error is not None:
            result["fit_error"] = f"{type(fit.error).__name__}: {fit.error}"
        return result

    def _score_of(self, plan: EstimatorPlan) -> Callable[[int, TrainedNetwork], float]:
        task = self._task
        estimators = [task.candidate(plan.params) for _ in task.splits]

        def score(split: int, network: TrainedNetwork) -> float:
            """On the split's test rows."""
            estimator = estimators[split]
            network.install(estimator)
            train, test = task.splits[split]
            params = _check_method_params(task.X, params=task.score_params, indices=test)
            X, y = _safe_split(estimator, task.X, task.y, test, train)
            scores = _score(estimator, X, y, task.scorer, params, task.settings["error_score"])
            return search_score(scores, task.metrics[0])

        return score


def _scores(fits: StackedFits, number: int) -> TrialScores | None:
    """How the network of a fit trained; None if its stack failed."""
    try:
        return fits.network(number).scores
    except Exception:
        return None
