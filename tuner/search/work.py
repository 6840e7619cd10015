"""A worker's share of a study: claim a group of tickets, train it, tell how each one ended.

A trial that depends on others is a group of one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuner.code import own_failures
from tuner.errors import StorageError
from tuner.planning.seeds import network_seed
from tuner.search.checkpoints.checkpoints import Checkpoints
from tuner.search.checkpoints.writer import CheckpointWriter
from tuner.search.claims import Claim
from tuner.search.constraints import parameters_of
from tuner.search.events import EpochDone, Event, TrialDone, TrialReturned, TrialStarted, WorkerId
from tuner.search.groups import Training
from tuner.search.queue import TicketQueue
from tuner.search.reporting import EpochReporter, TrialReports
from tuner.search.tickets import given_params
from tuner.search.trainer import TrainerLike
from tuner.search.trial_end import TrialEnd, end_of, failed_by, interrupted, lost, refused
from tuner.storage import records
from tuner.storage.backend import LostTrialError
from tuner.study.definition import StudyDefinition
from tuner.training.scores import TrialScores

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class GroupWork:
    """Trains whole groups; each of its tickets ends as if it had trained alone.

    Attributes:
        worker: how the events name it.
        trainer: on the study's data.
        definition: the study's, resolved.
        ending: asked after every epoch; true: what has not ended is handed back.
        tell: who is told what happens.
        checkpoints: of the study.
    """

    queue: TicketQueue
    worker: WorkerId
    trainer: TrainerLike
    definition: StudyDefinition
    ending: Callable[[], bool]
    tell: Callable[[Event], None]
    checkpoints: Checkpoints

    def step(self) -> bool:
        """Work on one group; False if none waits."""
        claim = self.queue.claim()
        if claim is None:
            return False
        try:
            self._work(claim)
        except StorageError:
            raise
        except BaseException:
            self.queue.hand_back()
            raise
        self.queue.hand_back()
        return True

    def _work(self, claim: Claim) -> None:
        ends = [self._tell(claim, ticket, end) for ticket, end in sorted(self._ends(claim).items())]
        if claim.live and all(end.settled for end in ends):
            self.checkpoints.remove(claim.trials)
        elif all(end.state.is_finished() for end in ends):
            self.checkpoints.sweep(self.queue.settled_tickets)

    def _ends(self, claim: Claim) -> dict[int, TrialEnd]:
        """Train the claim's group; how each of its tickets ended."""
        try:
            group = claim.group()
        except StorageError:
            raise
        except LostTrialError as error:
            return dict.fromkeys(claim.trials, lost(error))
        except own_failures() as error:
            return dict.fromkeys(claim.trials, _failed(error, f"tickets {list(claim.trials)}"))
        if group.refused is not None:
            return dict.fromkeys(claim.trials, refused(group.refused, group.broken))
        for training in group.trainings:
            for ticket, epochs in training.epochs.items():
                if ticket in claim.trials:
                    self._started(claim, ticket, epochs)
        return self._train(claim, group.trainings)

    def _train(self, claim: Claim, trainings: Sequence[Training]) -> dict[int, TrialEnd]:
        """Train them in one stack. If that raises, each in a stack of its own: the cause may lie
        in one of them, and the same one fails wherever the group is trained."""
        attempt = Attempt(self, claim, trainings)
        try:
            return attempt.run()
        except StorageError:
            raise
        except own_failures() as error:
            end = _failed(error, f"training of {len(trainings)} candidates")
        if attempt.checkpoint.resumed:
            attempt.checkpoint.remove()  # it may be the cause
            if not claim.live:  # a pruner that was asked cannot be asked again
                return self._train(claim, trainings)
        if len(trainings) == 1:
            return dict.fromkeys(claim.trials.keys() & trainings[0].epochs.keys(), end)
        apart = [self._train(claim, [training]) for training in trainings]
        return {ticket: end for each in apart for ticket, end in each.items()}

    def _tell(self, claim: Claim, ticket: int, end: TrialEnd) -> TrialEnd:
        """Tell how a ticket ended, if it has and its trial is not another worker's by now."""
        worker, trial, value = self.worker, claim.trials[ticket], None
        if end.state.is_finished():
            try:
                value = self.queue.tell(trial, end)
            except LostTrialError as error:
                end = lost(error, "its result came too late")
        if not end.state.is_finished():
            self.tell(TrialReturned(worker, trial.number, ticket, end.cause or ""))
            return end
        state = records.STATES[end.state.name]
        seconds = time.monotonic() - claim.began if claim.live else end.seconds
        done = TrialDone(
            worker, trial.number, ticket, state, value, seconds, end.cause,
            values=tuple(end.values or ()),
            feasible=records.is_kept(end.system_attrs.get(records.CONSTRAINTS)),
        )  # fmt: skip
        self.tell(done)
        return end

    def _started(self, claim: Claim, ticket: int, epochs: int) -> None:
        trial = claim.trials[ticket]
        params = given_params(trial.storage.get_trial(trial._trial_id))
        started = TrialStarted(self.worker, trial.number, ticket, params, epochs, claim.alone)
        self.tell(started)


class Attempt:
    """Trains some of a claimed group's trainings in one stack, once.

    Attributes:
        checkpoint: of this training.
    """

    def __init__(self, work: GroupWork, claim: Claim, trainings: Sequence[Training]) -> None:
        definition, trainer = work.definition, work.trainer
        self._work = work
        self._live = claim.live
        self._trainings = trainings
        self._plans = [own.plan for own in trainings]
        self._seeds = [
            [network_seed(definition.seed, own.first, fold) for fold in range(trainer.folds)]
            for own in trainings
        ]
        self.checkpoint = work.checkpoints.of(
            [ticket for own in trainings for ticket in own.epochs],
            lambda: trainer.identity(self._plans, self._seeds),
            trainings=len(trainings),
        )
        self._reports = {
            ticket: TrialReports(
                claim.trials[ticket], epochs, several=bool(definition.objective.others)
            )
            for own in trainings
            for ticket, epochs in own.epochs.items()
            if ticket in claim.trials
        }
        self._parameters = {
            ticket: parameters_of(own.plan) for own in trainings for ticket in own.epochs
        }
        self._reporter = EpochReporter(
            [[self._reports[i] for i in own.epochs if i in self._reports] for own in trainings],
            definition.metric,
            flush=work.queue.write if claim.live else None,
            ending=work.ending,
            tell=self._epoch_done,
        )

    def run(self) -> dict[int, TrialEnd]:
        """Claimed ticket to how it ended. Raises what the training raises."""
        reporter, checkpoint = self._reporter, self.checkpoint
        past, began = checkpoint.load(), time.monotonic()
        if past is not None:
            reporter.restore(past.notes)
        writer = CheckpointWriter(
            checkpoint, notes=reporter.notes, leaving=lambda: reporter.stopped
        )
        scores = self._work.trainer.train(
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
        reports, definition = self._reports[ticket], self._work.definition
        if reports.lost is not None:
            return lost(reports.lost)
        if self._reporter.stopped and "interrupted" in scores.status and not scores.diverged:
            return interrupted()
        reports.add(scores.mean_curve(definition.metric).tolist())
        resumed = [epoch for epoch in self.checkpoint.resumed if epoch < len(reports.values)]
        parameters = self._parameters.get(ticket)
        return end_of(scores, reports, definition, parameters, seconds=seconds, resumed=resumed)

    def _epoch_done(self, own: TrialReports, epoch: int, value: float) -> None:
        work = self._work
        work.tell(EpochDone(work.worker, own.trial.number, epoch, own.epochs, value, own.logs))


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


def _failed(error: BaseException, what: str) -> TrialEnd:
    end = failed_by(error)
    if not end.final:  # nobody's mistake in a definition
        logger.warning("%s failed", what, exc_info=error)
    return end
