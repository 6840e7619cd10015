"""Candidates with the same rows: planned, put into stacks, trained, and told apart again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from tuner.data.dataset import Fold
from tuner.data.scaling import TargetScaling, fit_target_scaling
from tuner.errors import PlanError
from tuner.planning.cost import estimate
from tuner.planning.plan import TrainingPlan
from tuner.sklearn.estimators.base import KerasMLP
from tuner.sklearn.estimators.params import plan_of
from tuner.sklearn.estimators.training import fold_of
from tuner.sklearn.search.outcomes import Outcome, fold_alone, unfinished
from tuner.sklearn.search.parallel import in_threads
from tuner.sklearn.search.splits import Cohort, Split, cohorts
from tuner.training.grouping import (
    Stack,
    Stacking,
    Training,
    cut_stacks,
    share_trainings,
    stacking_of,
)
from tuner.training.scores import TrialScores

#: Weights of one network in each split to the outcomes as they stand: split number to outcome.
Standing = Callable[[Sequence[Sequence[NDArray[np.float32]]]], dict[int, Outcome]]
#: For a search that looks at a candidate while it trains: makes `keras.callbacks.Callback`
#: objects, given what tells the present outcomes.
Watch = Callable[[Standing], Sequence[Any]]


@dataclass(frozen=True, eq=False)
class Member:
    """A candidate: its number, the estimator with its parameters, the last step, and one seed a
    split."""

    number: int
    estimator: Any
    final: KerasMLP
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Planned:
    """A candidate on a cohort: one fold and one seed for each of its splits."""

    plan: TrainingPlan
    seeds: tuple[int, ...]
    folds: tuple[Fold, ...]


@dataclass(frozen=True, eq=False)
class Batch:
    """Candidates of equal folds on a cohort, by number: what one `Trainer` trains."""

    cohort: Cohort
    planned: dict[int, Planned]


def plan_group(members: Sequence[Member], splits: Sequence[Split]) -> list[Batch]:
    """All `members` on all `splits`. Candidates that make no plan are left out."""
    batches: list[Batch] = []
    for cohort in cohorts(splits):
        by_folds: dict[Hashable, dict[int, Planned]] = {}
        for member in members:
            with suppress(PlanError, ValueError):
                key, planned = _planned(member, cohort)
                by_folds.setdefault(key, {})[member.number] = planned
        batches += [Batch(cohort, own) for own in by_folds.values()]
    return batches


def train_group(
    batches: Sequence[Batch], verbose: bool, watch: Watch | None, jobs: int = 1
) -> Iterator[tuple[int, int, Outcome | Exception]]:
    """Train all `batches`, `jobs` stacks at a time; gives (candidate, split, outcome) as each
    stack ends, for every candidate and split of theirs, with the error in the place of an outcome
    where a stack raised one."""
    for batch in batches:
        missing = [
            (number, split.number) for number in batch.planned for split in batch.cohort.splits
        ]
        try:
            for number, split, outcome in _train(batch, verbose, watch, jobs):
                missing.remove((number, split))
                yield number, split, outcome
        except Exception as error:
            for number, split in missing:
                yield number, split, error


def _planned(member: Member, cohort: Cohort) -> tuple[Hashable, Planned]:
    """The plan and the folds; candidates of one key have the same folds."""
    first = cohort.splits[0]
    plan = plan_of(
        member.final,
        features=first.x.shape[1],
        outputs=first.targets.outputs,
        task=first.targets.task,
    )
    seeds = tuple(member.seeds[split.number] for split in cohort.splits)
    fraction = member.final.validation_fraction
    folds = []
    for split, rows, seed in zip(cohort.splits, cohort.rows, seeds, strict=True):
        fold = fold_of(plan, split.targets, fraction, seed)
        folds.append(Fold(train=rows[fold.train], validation=rows[fold.validation]))
    watching = any(len(fold.validation) for fold in folds)
    return (fraction, seeds) if watching else None, Planned(plan, seeds, tuple(folds))


def _train(
    batch: Batch, verbose: bool, watch: Watch | None, jobs: int
) -> Iterator[tuple[int, int, Outcome | Exception]]:
    cohort, planned = batch.cohort, batch.planned
    _load_tensorflow()
    from tuner.training import Trainer
    from tuner.training.inputs import unused_weights_stay, used_inputs

    folds = next(iter(planned.values())).folds
    dataset = cohort.dataset
    trainer = Trainer(
        dataset,
        folds,
        scaling="none",
        metrics=(),
        objective="loss",
        sample_weight=cohort.weight,
        inputs=used_inputs(dataset.x)
        if all(unused_weights_stay(own.plan) for own in planned.values())
        else None,
    )
    scalings: list[TargetScaling | None] = [
        fit_target_scaling(dataset, fold.train) if dataset.task == "regression" else None
        for fold in folds
    ]
    seeds = {number: own.seeds for number, own in planned.items()}

    def stacking(plan: TrainingPlan) -> Stacking:
        return stacking_of(plan, dataset.task, estimate(plan, dataset.rows, folds))

    def outcome(number: int, fold: int, scores: TrialScores, seconds: float) -> Outcome:
        own = planned[number]
        split = cohort.splits[fold]
        return Outcome(own.plan, split, own.seeds[fold], scores, scalings[fold], seconds)

    def standing(weights: Sequence[Sequence[NDArray[np.float32]]]) -> dict[int, Outcome]:
        (number,) = planned
        return {
            split.number: outcome(number, fold, unfinished(weights[fold]), 0.0)
            for fold, split in enumerate(cohort.splits)
        }

    def train(stack: Stack, more: Sequence[Any]) -> tuple[float, list[TrialScores] | Exception]:
        callbacks = [*_callbacks(verbose, [folds[fold] for fold in stack.folds]), *more]
        if watch is not None:
            callbacks += watch(standing)
        started = time.perf_counter()
        scores: list[TrialScores] | Exception
        try:
            scores = trainer.on_folds(stack.folds).train(
                [own.plan for own in stack.trainings],
                [[seeds[own.first][fold] for fold in stack.folds] for own in stack.trainings],
                callbacks=callbacks,
                weights=True,
                snapshots=[_snapshots(own) for own in stack.trainings],
            )
        except Exception as error:  # of its fits; the other stacks go on
            scores = error
        return time.perf_counter() - started, scores

    plans = {number: own.plan for number, own in planned.items()}
    wanted = share_trainings(plans, stacking, seeds)
    cut = cut_stacks(wanted, stacking, len(folds), seeds)
    for stack, (seconds, scores) in zip(cut, in_threads(jobs, train, cut), strict=True):
        if isinstance(scores, Exception):
            for number in (number for own in stack.trainings for number in own.epochs):
                for fold in stack.folds:
                    yield number, cohort.splits[fold].number, scores
            continue
        whole = len(stack.folds) * sum(sum(own.epochs.values()) for own in stack.trainings)
        for training, trained in zip(stack.trainings, scores, strict=True):
            for number, epochs in training.epochs.items():
                shorter = trained if epochs == training.plan.epochs else trained.until(epochs)
                for place, fold in enumerate(stack.folds):
                    alone = fold_alone(shorter, place)
                    share = seconds * epochs / whole
                    number_of_split = cohort.splits[fold].number
                    yield number, number_of_split, outcome(number, fold, alone, share)


def _snapshots(training: Training) -> set[int]:
    return set(training.epochs.values()) - {training.plan.epochs}


def _callbacks(verbose: bool, folds: Sequence[Fold]) -> list[Any]:
    if not verbose:
        return []
    from tuner.sklearn.estimators.progress import EpochLines

    return [EpochLines(validated=any(len(fold.validation) for fold in folds))]


def _load_tensorflow() -> None:
    if "tensorflow" not in sys.modules:
        # Whoever uses TensorFlow already has settled its threads.
        from tuner.training import set_threads

        with suppress(RuntimeError):
            set_threads(stacks=cpu_count())
