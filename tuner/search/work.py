"""A worker's share of a study: claim a group of tickets, train it, tell how each one ended.

A trial that depends on others is a group of one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import optuna

from tuner.errors import StorageError
from tuner.planning.seeds import network_seed
from tuner.search.checkpoints.checkpoints import Checkpoint, Checkpoints
from tuner.search.checkpoints.writer import CheckpointWriter
from tuner.search.claims import Claim
from tuner.search.events import EpochDone, Event, TrialDone, TrialReturned, TrialStarted, WorkerId
from tuner.search.groups.rule import Training
from tuner.search.heartbeat import Heartbeat
from tuner.search.queue import TicketQueue
from tuner.search.reporting import EpochReporter, TrialReports
from tuner.search.tickets import given_params
from tuner.search.trainer import TrainerLike
from tuner.search.trial_end import STATES, TrialEnd, end_of, failed, failed_by
from tuner.storage.backend import LostTrialError
from tuner.study.definition import StudyDefinition
from tuner.training.scores import TrialScores

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkContext:
    """One worker's means.

    Attributes:
        worker: how the events name it.
        trainer: on the study's data.
        definition: the study's, resolved.
        beats: for the trials it works on.
        ending: asked after every epoch; true: what has not ended is handed back.
        tell: who is told what happens.
        checkpoints: of the study.
    """

    worker: WorkerId
    trainer: TrainerLike
    definition: StudyDefinition
    beats: Heartbeat
    ending: Callable[[], bool]
    tell: Callable[[Event], None]
    checkpoints: Checkpoints


class Result(NamedTuple):
    """What came of a claimed ticket: its end, or why it is given back or left to another worker."""

    end: TrialEnd | None
    returned: str = ""


class GroupWork:
    """Trains whole groups; each of its tickets ends as if it had trained alone."""

    def __init__(self, queue: TicketQueue, context: WorkContext) -> None:
        self._queue = queue
        self._context = context

    def step(self) -> bool:
        """Work on one group; False if none waits."""
        claim = self._queue.claim()
        if claim is None:
            return False
        beats = self._context.beats
        beats.start()
        try:
            self._work(claim)
        except StorageError:
            raise
        except BaseException:
            beats.stop()
            self._queue.hand_back()
            raise
        finally:
            beats.stop()
        self._queue.hand_back()
        return True

    def _work(self, claim: Claim) -> None:
        ends = [
            self._tell(claim.trials[ticket], ticket, result)
            for ticket, result in sorted(self._results(claim).items())
        ]
        checkpoints = self._context.checkpoints
        if all(end is not None and end.settled for end in ends) and claim.live:
            checkpoints.remove(claim.trials, trainings=len(claim.trials))
        elif None not in ends:
            checkpoints.sweep(self._queue.settled_tickets)

    def _results(self, claim: Claim) -> dict[int, Result]:
        """Train the claim's group; what came of each of its tickets."""
        try:
            group = claim.group()
        except StorageError:
            raise
        except LostTrialError as error:
            return dict.fromkeys(claim.trials, _taken_over(error))
        except Exception as error:
            logger.warning("tickets %s failed", list(claim.trials), exc_info=True)
            return dict.fromkeys(claim.trials, Result(failed_by(error)))
        if group.refused is not None:
            return dict.fromkeys(claim.trials, Result(failed(group.refused, final=True)))
        for training in group.trainings:
            for ticket, epochs in training.epochs.items():
                if ticket in claim.trials:
                    self._started(claim.trials[ticket], ticket, epochs, claim.alone)
        return self._train(claim, group.trainings)

    def _train(self, claim: Claim, trainings: Sequence[Training]) -> dict[int, Result]:
        """Train them in one stack. If that raises, each in a stack of its own: the cause may lie
        in one of them, and the same one fails wherever the group is trained."""
        context, trainer = self._context, self._context.trainer
        plans = [own.plan for own in trainings]
        seeds = [
            [network_seed(context.definition.seed, own.first, i) for i in range(trainer.folds)]
            for own in trainings
        ]
        checkpoint = context.checkpoints.of(
            [ticket for own in trainings for ticket in own.epochs],
            lambda: trainer.identity(plans, seeds),
            trainings=len(trainings),
        )
        reports = {
            ticket: TrialReports(claim.trials[ticket], epochs)
            for own in trainings
            for ticket, epochs in own.epochs.items()
            if ticket in claim.trials
        }
        reporter = EpochReporter(
            [[reports[ticket] for ticket in own.epochs if ticket in reports] for own in trainings],
            context.definition.metric,
            flush=self._flush if claim.live else None,
            ending=context.ending,
            tell=self._epoch_done,
        )
        notes, leaving = reporter.notes, lambda: reporter.stopped
        writer = CheckpointWriter(checkpoint, notes=notes, leaving=leaving)
        past, began = checkpoint.load(), time.monotonic()
        if past is not None:
            reporter.restore(past.notes)
        try:
            state = None if past is None else past.state
            scores = trainer.train(plans, seeds, callbacks=[reporter, writer], state=state)
        except StorageError:
            raise
        except Exception as error:
            logger.warning("training of %d candidates failed", len(trainings), exc_info=True)
            if past is not None:
                checkpoint.remove()  # it may be the cause
                if not claim.live:  # else the pruner was asked: the next attempt is another trial
                    return self._train(claim, trainings)
            if len(trainings) > 1:
                apart = [self._train(claim, [training]) for training in trainings]
                return {ticket: result for each in apart for ticket, result in each.items()}
            failure = failed_by(error, seconds=time.monotonic() - began)
            return dict.fromkeys(reports, Result(failure))
        seconds = time.monotonic() - began + checkpoint.seconds
        results: dict[int, Result] = {}
        for ticket, own in _of_each(trainings, scores):
            if ticket in reports:
                spent = seconds if claim.live else float(own.epoch_seconds.sum())
                results[ticket] = self._result(own, reports[ticket], reporter, checkpoint, spent)
        return results

    def _result(
        self,
        scores: TrialScores,
        reports: TrialReports,
        reporter: EpochReporter,
        checkpoint: Checkpoint,
        seconds: float,
    ) -> Result:
        if reports.lost is not None:
            return _taken_over(reports.lost)
        if reporter.stopped and "interrupted" in scores.status:
            return Result(None, "handed back at shutdown")
        definition = self._context.definition
        reports.add(scores.mean_curve(definition.metric).tolist())
        resumed = [epoch for epoch in checkpoint.resumed if epoch < len(reports.values)]
        return Result(end_of(scores, reports, definition, seconds=seconds, resumed=resumed))

    def _tell(self, trial: optuna.Trial, ticket: int, result: Result) -> TrialEnd | None:
        """Tell how a ticket ended; None for one that was interrupted, which is left to be handed
        back, and for one that is another worker's."""
        context, end, returned = self._context, result.end, result.returned
        if end is not None:
            try:
                value = self._queue.tell(trial, end)
            except LostTrialError as error:
                end, returned = None, f"its result came too late ({error})"
        if end is None:
            context.tell(TrialReturned(context.worker, trial.number, ticket, returned))
        else:
            state = STATES[end.state]
            context.tell(
                TrialDone(
                    context.worker, trial.number, ticket, state, value, end.seconds, end.cause
                )
            )
        return end

    def _started(self, trial: optuna.Trial, ticket: int, epochs: int, alone: bool) -> None:
        params = given_params(trial.storage.get_trial(trial._trial_id))
        worker = self._context.worker
        self._context.tell(TrialStarted(worker, trial.number, ticket, params, epochs, alone))

    def _epoch_done(self, own: TrialReports, epoch: int, value: float) -> None:
        worker = self._context.worker
        self._context.tell(EpochDone(worker, own.trial.number, epoch, own.epochs, value))

    def _flush(self, trial: optuna.Trial) -> None:
        if self._queue.write(trial):
            self._context.beats.beaten()


def _taken_over(error: LostTrialError) -> Result:
    return Result(None, f"another worker took it over ({error})")


def _of_each(
    trainings: Sequence[Training], scores: Sequence[TrialScores]
) -> Iterator[tuple[int, TrialScores]]:
    """Each ticket's own scores, cut to its own epochs; an epoch's seconds are shared evenly among
    the candidates that it counts for."""
    both = list(zip(trainings, scores, strict=True))
    ends = [
        min(epochs, own.epochs_run) for training, own in both for epochs in training.epochs.values()
    ]
    sharing = np.array([sum(end > epoch for end in ends) for epoch in range(max(ends))])
    for training, own in both:
        for ticket, epochs in training.epochs.items():
            cut = own if epochs >= training.plan.epochs else own.until(epochs)
            shares = cut.epoch_seconds / sharing[: cut.epochs_run]
            yield ticket, replace(cut, epoch_seconds=shares)
