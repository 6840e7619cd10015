"""Planned candidates with the same rows: put into stacks, trained, and told apart again."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from tuner.errors import StorageError
from tuner.planning.cost import estimate
from tuner.planning.plan import TrainingPlan
from tuner.sklearn.estimators.training import epoch_lines, still_training
from tuner.sklearn.search.candidates import FoldGroup
from tuner.sklearn.search.parallel import in_threads
from tuner.sklearn.search.trained_network import TrainedNetwork
from tuner.sklearn.search.watching import Watch
from tuner.training.callbacks import EpochCallback
from tuner.training.grouping import Stack, Stacking, cut_stacks, share_trainings, stacking_of
from tuner.training.scores import TrialScores
from tuner.training.threads import settle_threads

if TYPE_CHECKING:
    from tuner.training import Trainer


class Fit(NamedTuple):
    """What came of a candidate in a split: its network, or the error that its stack raised."""

    candidate: int
    split: int
    network: TrainedNetwork | Exception


def train_groups(
    groups: Sequence[FoldGroup],
    *,
    verbose: bool,
    jobs: int,
    watch: Watch | None = None,
) -> Generator[Fit, None, None]:
    """Train all `groups`, `jobs` stacks at a time; gives a fit for every candidate and split of
    theirs as each stack ends.

    Raises what a `watch` raises of the storage.
    """
    for group in groups:
        missing = [(number, own.number) for number in group.plans for own in group.rows.splits]
        try:
            training = FoldGroupTraining(group, _trainer_of(group), verbose, watch)
            for fit in training.run(jobs, whole=len(groups) == 1):
                missing.remove((fit.candidate, fit.split))
                yield fit
        except StorageError:
            raise
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
        watch: see `train_groups`.
    """

    def __init__(
        self, group: FoldGroup, trainer: Trainer, verbose: bool, watch: Watch | None
    ) -> None:
        self._group = group
        self._trainer = trainer
        self._verbose = verbose
        self._watch = watch
        self._plans, self._seeds = group.plans, group.seeds

    def run(self, jobs: int, *, whole: bool = True) -> Iterator[Fit]:
        """Train all stacks, `jobs` at a time; `whole`: the group has all splits."""
        trainings = share_trainings(self._plans, self._stacking, self._seeds)
        stacks = cut_stacks(trainings, self._stacking, len(self._trainer.folds), self._seeds)
        if self._watch is not None:
            single = whole and len(stacks) == len(self._plans) == 1
            self._watch.scores.networks_now = self.networks_now if single else None
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
        state = None
        if self._watch is not None:
            callbacks += [self._watch.scores, *self._watch.callbacks]
            state = self._watch.state
        started = time.perf_counter()
        scores: list[TrialScores] | Exception
        try:
            scores = trainer.train(
                [own.plan for own in stack.trainings],
                [[self._seeds[own.first][fold] for fold in stack.folds] for own in stack.trainings],
                callbacks=callbacks,
                weights=True,
                state=state,
                snapshots=[set(own.epochs.values()) - {own.plan.epochs} for own in stack.trainings],
            )
        except StorageError:
            raise
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
