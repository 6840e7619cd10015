"""Candidates with the same rows: planned, put into stacks, trained, and told apart again."""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from tuner.data.dataset import Fold
from tuner.errors import PlanError
from tuner.planning.cost import estimate
from tuner.planning.plan import TrainingPlan
from tuner.sklearn.estimators.base import KerasMLP
from tuner.sklearn.estimators.parameters import plan_of
from tuner.sklearn.estimators.training import epoch_lines, fold_of, still_training
from tuner.sklearn.search.parallel import in_threads
from tuner.sklearn.search.splits import Split, SplitRows, rows_of_splits
from tuner.sklearn.search.trained_network import ScoreReporter, TrainedNetwork
from tuner.training.callbacks import EpochCallback
from tuner.training.grouping import Stack, Stacking, cut_stacks, share_trainings, stacking_of
from tuner.training.scores import TrialScores
from tuner.training.threads import settle_threads

if TYPE_CHECKING:
    from tuner.training import Trainer


@dataclass(frozen=True, eq=False)
class Candidate:
    """Its number, the estimator with its parameters, the last step, and one seed a split."""

    number: int
    estimator: Any
    final: KerasMLP
    seeds: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FoldGroup:
    """Candidates of equal folds on the same rows: what one `Trainer` trains.

    Attributes:
        folds: one for each of the rows' splits.
        seconds: each fit's share of the time of the steps before.
        plans, seeds: by candidate number; one seed for each of the splits.
    """

    rows: SplitRows
    folds: tuple[Fold, ...]
    seconds: float
    plans: dict[int, TrainingPlan] = field(default_factory=dict)
    seeds: dict[int, tuple[int, ...]] = field(default_factory=dict)


class Fit(NamedTuple):
    """What came of a candidate in a split: its network, or the error that its stack raised."""

    candidate: int
    split: int
    network: TrainedNetwork | Exception


def plan_candidates(
    candidates: Sequence[Candidate], splits: Sequence[Split], seconds: float
) -> list[FoldGroup]:
    """All `candidates` on all `splits`, which took `seconds` to read. Those that make no plan are
    left out."""
    groups: list[FoldGroup] = []
    share = seconds / max(1, len(candidates) * len(splits))
    for rows in rows_of_splits(splits):
        by_folds: dict[Hashable, FoldGroup] = {}
        for candidate in candidates:
            with suppress(PlanError, ValueError):
                plan, seeds, folds = _planned(candidate, rows)
                held_out = any(len(fold.validation) for fold in folds)
                key = (candidate.final.validation_fraction, seeds) if held_out else None
                group = by_folds.setdefault(key, FoldGroup(rows, folds, share))
                group.plans[candidate.number] = plan
                group.seeds[candidate.number] = seeds
        groups += by_folds.values()
    return groups


def _planned(
    candidate: Candidate, rows: SplitRows
) -> tuple[TrainingPlan, tuple[int, ...], tuple[Fold, ...]]:
    """The plan, and a seed and a fold for each of the splits."""
    first = rows.splits[0]
    plan = plan_of(
        candidate.final,
        features=first.x.shape[1],
        outputs=first.targets.outputs,
        task=first.targets.task,
        classes=first.targets.classes,
    )
    seeds = tuple(candidate.seeds[split.number] for split in rows.splits)
    fraction = candidate.final.validation_fraction
    folds = []
    for split, own, seed in zip(rows.splits, rows.rows, seeds, strict=True):
        fold = fold_of(plan, split.targets, fraction, seed)
        folds.append(Fold(train=own[fold.train], validation=own[fold.validation]))
    return plan, seeds, tuple(folds)


def train_groups(
    groups: Sequence[FoldGroup],
    *,
    verbose: bool,
    reporter: ScoreReporter | None,
    jobs: int,
) -> Generator[Fit, None, None]:
    """Train all `groups`, `jobs` stacks at a time; gives a fit for every candidate and split of
    theirs as each stack ends.

    Args:
        reporter: of a single candidate, whose splits are all of one group.
    """
    for group in groups:
        missing = [(number, own.number) for number in group.plans for own in group.rows.splits]
        try:
            for fit in FoldGroupTraining(group, _trainer_of(group), verbose, reporter).run(jobs):
                missing.remove((fit.candidate, fit.split))
                yield fit
        except Exception as error:
            for number, split in missing:
                yield Fit(number, split, error)


def _trainer_of(group: FoldGroup) -> Trainer:
    """Imports TensorFlow."""
    settle_threads(stacks=cpu_count())
    from tuner.training import Trainer
    from tuner.training.stack_data import unused_weights_stay, used_inputs

    dataset = group.rows.dataset
    stay = all(map(unused_weights_stay, group.plans.values()))
    return Trainer(
        dataset,
        group.folds,
        scaling="none",
        metrics=(),
        objective="loss",
        sample_weight=group.rows.weight,
        inputs=used_inputs(dataset.x) if stay else None,
    )


class FoldGroupTraining:
    """Trains a group's candidates in stacks.

    Args:
        verbose: print a line an epoch.
        reporter: see `train_groups`.
    """

    def __init__(
        self, group: FoldGroup, trainer: Trainer, verbose: bool, reporter: ScoreReporter | None
    ) -> None:
        self._group = group
        self._trainer = trainer
        self._verbose = verbose
        self._reporter = reporter
        self._plans, self._seeds = group.plans, group.seeds

    def run(self, jobs: int) -> Iterator[Fit]:
        """Train all stacks, `jobs` at a time."""
        trainings = share_trainings(self._plans, self._stacking, self._seeds)
        stacks = cut_stacks(trainings, self._stacking, len(self._trainer.folds), self._seeds)
        for stack, trained in zip(stacks, in_threads(jobs, self._train, stacks), strict=True):
            yield from self._fits(stack, *trained)

    def networks_now(
        self, weights: Sequence[Sequence[NDArray[np.float32]]]
    ) -> dict[int, TrainedNetwork]:
        """The networks of the group's only candidate as they stand, by split number, in the order
        of `weights`."""
        (number,) = self._plans
        return {
            split.number: self._network(number, fold, still_training(weights[fold]), 0.0)
            for fold, split in enumerate(self._group.rows.splits)
        }

    def _stacking(self, plan: TrainingPlan) -> Stacking:
        dataset = self._group.rows.dataset
        return stacking_of(plan, dataset.task, estimate(plan, self._trainer.folds))

    def _train(
        self, stack: Stack, more: Sequence[EpochCallback]
    ) -> tuple[float, list[TrialScores] | Exception]:
        """Seconds, and what came of the stack's trainings."""
        trainer = self._trainer.on_folds(stack.folds)
        callbacks = [*epoch_lines(self._verbose, trainer.folds), *more]
        if self._reporter is not None:
            self._reporter.networks_now = self.networks_now
            callbacks.append(self._reporter)
        started = time.perf_counter()
        scores: list[TrialScores] | Exception
        try:
            scores = trainer.train(
                [own.plan for own in stack.trainings],
                [[self._seeds[own.first][fold] for fold in stack.folds] for own in stack.trainings],
                callbacks=callbacks,
                weights=True,
                snapshots=[set(own.epochs.values()) - {own.plan.epochs} for own in stack.trainings],
            )
        except Exception as error:  # of its fits; the other stacks go on
            scores = error
        return time.perf_counter() - started, scores

    def _fits(
        self, stack: Stack, seconds: float, scores: list[TrialScores] | Exception
    ) -> Iterator[Fit]:
        splits = self._group.rows.splits
        if isinstance(scores, Exception):
            for number in (number for own in stack.trainings for number in own.epochs):
                for fold in stack.folds:
                    yield Fit(number, splits[fold].number, scores)
            return
        whole = len(stack.folds) * sum(sum(own.epochs.values()) for own in stack.trainings)
        for training, trained in zip(stack.trainings, scores, strict=True):
            for number, epochs in training.epochs.items():
                own = trained if epochs == training.plan.epochs else trained.until(epochs)
                own = replace(own, snapshots={})
                share = seconds * epochs / whole + self._group.seconds
                for place, fold in enumerate(stack.folds):
                    network = self._network(
                        number, fold, own.of_folds(slice(place, place + 1)), share
                    )
                    yield Fit(number, splits[fold].number, network)

    def _network(
        self, number: int, fold: int, scores: TrialScores, seconds: float
    ) -> TrainedNetwork:
        scalings = self._trainer.target_scalings
        return TrainedNetwork(
            self._plans[number],
            self._group.rows.splits[fold],
            self._seeds[number][fold],
            scores,
            None if scalings is None else scalings[fold],
            seconds,
        )
