"""One training of a claimed group's stack: what it starts from, who listens, what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import optuna

from tuner.planning.seeds import network_seed
from tuner.search.checkpoints.checkpoints import Checkpoints
from tuner.search.checkpoints.writer import CheckpointWriter
from tuner.search.claims import Claim
from tuner.search.events import EpochDone, Event, WorkerId
from tuner.search.groups import Training
from tuner.search.reporting import EpochReporter, TrialReports
from tuner.search.trainer import TrainerLike
from tuner.search.trial_end import TrialEnd, end_of, interrupted, lost
from tuner.study.definition import StudyDefinition
from tuner.training.scores import TrialScores


@dataclass(frozen=True)
class WorkContext:
    """One worker's means.

    Attributes:
        worker: how the events name it.
        trainer: on the study's data.
        definition: the study's, resolved.
        ending: asked after every epoch; true: what has not ended is handed back.
        tell: who is told what happens.
        checkpoints: of the study.
    """

    worker: WorkerId
    trainer: TrainerLike
    definition: StudyDefinition
    ending: Callable[[], bool]
    tell: Callable[[Event], None]
    checkpoints: Checkpoints


class Attempt:
    """Trains some of a claimed group's trainings in one stack, once.

    Args:
        flush: writes what a trial has reported.

    Attributes:
        checkpoint: of this training.
        resumed: whether `run` went on from it.
    """

    resumed = False

    def __init__(
        self,
        context: WorkContext,
        claim: Claim,
        trainings: Sequence[Training],
        flush: Callable[[optuna.Trial], object],
    ) -> None:
        definition, trainer = context.definition, context.trainer
        self._context = context
        self._live = claim.live
        self._trainings = trainings
        self._plans = [own.plan for own in trainings]
        self._seeds = [
            [network_seed(definition.seed, own.first, fold) for fold in range(trainer.folds)]
            for own in trainings
        ]
        self.checkpoint = context.checkpoints.of(
            [ticket for own in trainings for ticket in own.epochs],
            lambda: trainer.identity(self._plans, self._seeds),
            trainings=len(trainings),
        )
        self._reports = {
            ticket: TrialReports(claim.trials[ticket], epochs)
            for own in trainings
            for ticket, epochs in own.epochs.items()
            if ticket in claim.trials
        }
        self._reporter = EpochReporter(
            [[self._reports[i] for i in own.epochs if i in self._reports] for own in trainings],
            definition.metric,
            flush=flush if claim.live else None,
            ending=context.ending,
            tell=self._epoch_done,
        )

    def run(self) -> dict[int, TrialEnd]:
        """Claimed ticket to how it ended. Raises what the training raises."""
        reporter, checkpoint = self._reporter, self.checkpoint
        past, began = checkpoint.load(), time.monotonic()
        self.resumed = past is not None
        if past is not None:
            reporter.restore(past.notes)
        writer = CheckpointWriter(
            checkpoint, notes=reporter.notes, leaving=lambda: reporter.stopped
        )
        scores = self._context.trainer.train(
            self._plans,
            self._seeds,
            callbacks=[reporter, writer],
            state=None if past is None else past.state,
        )
        whole = time.monotonic() - began + checkpoint.seconds
        return {
            ticket: self._end(ticket, own, whole if self._live else own.epoch_seconds.sum())
            for ticket, own in _of_each(self._trainings, scores)
            if ticket in self._reports
        }

    def _end(self, ticket: int, scores: TrialScores, seconds: float) -> TrialEnd:
        reports, definition = self._reports[ticket], self._context.definition
        if reports.lost is not None:
            return lost(reports.lost)
        if self._reporter.stopped and "interrupted" in scores.status and not scores.diverged:
            return interrupted()
        reports.add(scores.mean_curve(definition.metric).tolist())
        resumed = [epoch for epoch in self.checkpoint.resumed if epoch < len(reports.values)]
        return end_of(scores, reports, definition, seconds=float(seconds), resumed=resumed)

    def _epoch_done(self, own: TrialReports, epoch: int, value: float) -> None:
        worker = self._context.worker
        self._context.tell(EpochDone(worker, own.trial.number, epoch, own.epochs, value))


def _of_each(
    trainings: Sequence[Training], scores: Sequence[TrialScores]
) -> Iterator[tuple[int, TrialScores]]:
    """Each ticket's own scores, cut to its own epochs; an epoch's seconds are shared evenly among
    the candidates that it counts for."""
    each = [
        (ticket, own if epochs >= training.plan.epochs else own.until(epochs))
        for training, own in zip(trainings, scores, strict=True)
        for ticket, epochs in training.epochs.items()
    ]
    last = max(own.epochs_run for _, own in each)
    sharing = np.array([sum(own.epochs_run > epoch for _, own in each) for epoch in range(last)])
    for ticket, own in each:
        shares = own.epoch_seconds / sharing[: own.epochs_run]
        yield ticket, replace(own, epoch_seconds=shares)
