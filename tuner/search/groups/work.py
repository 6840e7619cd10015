"""A worker's share of a study whose candidates are known: claim a group, train, tell each."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tuner.errors import StorageError, UsageError
from tuner.planning.seeds import network_seed
from tuner.search.checkpoints.writer import CheckpointWriter
from tuner.search.context import WorkContext
from tuner.search.events import EpochDone, TrialDone, TrialReturned, TrialStarted
from tuner.search.groups.queue import Claim, GroupQueue
from tuner.search.groups.rule import Training
from tuner.search.outcome import STATES, Outcome, failed, outcome_of
from tuner.storage import records
from tuner.storage.backend import LostTrialError

if TYPE_CHECKING:
    from tuner.training.scores import TrialScores

logger = logging.getLogger(__name__)


class Ended(NamedTuple):
    """How a training went: its scores, or why there are none; and the epochs after which it went
    on from a checkpoint."""

    scores: TrialScores | Outcome
    resumed: list[int]


Trained = Mapping[Training, Ended]


class GroupWork:
    """Trains whole groups; each of its tickets ends as if it had trained alone."""

    def __init__(self, queue: GroupQueue, context: WorkContext) -> None:
        self._queue = queue
        self._context = context

    def step(self) -> bool:
        """Work on one group; False where none waits."""
        beats = self._context.beats
        claim = self._queue.claim(self._context.trainer)
        if claim is None:
            return False
        beats.start(next(iter(claim.trials.values()))._trial_id)
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
        context = self._context
        for training in claim.group.trainings:
            for ticket, epochs in training.epochs.items():
                if ticket in claim.trials:
                    trial = claim.trials[ticket]
                    params = dict(trial.system_attrs.get("fixed_params", trial.params))
                    alone = self._queue.room.alone
                    started = TrialStarted(
                        context.worker, trial.number, ticket, params, epochs, alone
                    )
                    context.tell(started)
        refused = claim.group.refused
        trained: Trained
        if refused is not None:
            why = failed(refused, final=True)
            trained = {own: Ended(why, []) for own in claim.group.trainings}
        else:
            trained = self._train(claim, claim.group.trainings)
        told = [
            self._end(claim, ticket, ended)
            for ticket, ended in sorted(_of_each(trained), key=lambda pair: pair[0])
            if ticket in claim.trials
        ]
        if all(told):
            context.checkpoints.sweep(self._queue.settled_tickets)

    def _train(self, claim: Claim, trainings: Sequence[Training]) -> Trained:
        """Train them in one stack. Where that raises, each in a stack of its own: the cause may
        lie in one of them, and the same one fails wherever the group is trained."""
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
        past = checkpoint.load()
        leaving = False

        def on_epoch(epoch: int, values: Sequence[float]) -> bool:
            nonlocal leaving
            for own, value in zip(trainings, values, strict=True):
                for ticket, epochs in own.epochs.items():
                    if ticket in claim.trials and epoch <= epochs:
                        number = claim.trials[ticket].number
                        context.tell(EpochDone(context.worker, number, epoch, epochs, value))
            leaving = context.ending()
            return leaving

        writer = CheckpointWriter(checkpoint, notes=dict, leaving=lambda: leaving)
        try:
            state = None if past is None else past.state
            scores = trainer.train_stack(plans, seeds, on_epoch, callbacks=[writer], state=state)
        except Exception as error:
            if past is not None:
                logger.warning("training went wrong after a checkpoint", exc_info=True)
                checkpoint.remove()  # it may be the cause
                return self._train(claim, trainings)
            if len(trainings) > 1:
                logger.warning("%d candidates failed together", len(trainings), exc_info=True)
                return {
                    own: ended
                    for training in trainings
                    for own, ended in self._train(claim, [training]).items()
                }
            logger.warning("ticket %d failed", trainings[0].first, exc_info=True)
            if isinstance(error, UsageError):  # such a combination cannot be trained
                return {trainings[0]: Ended(failed(str(error), final=True), [])}
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            return {trainings[0]: Ended(failed(text, final=False), [])}
        ended = [Ended(own, checkpoint.resumed) for own in scores]
        return dict(zip(trainings, ended, strict=True))

    def _end(self, claim: Claim, ticket: int, ended: Ended) -> bool:
        """Tell how a ticket ended; False for one that was interrupted, which is left to be handed
        back, and for one that is another worker's."""
        context, trial, scores = self._context, claim.trials[ticket], ended.scores
        reports: list[float] = []
        seconds = 0.0
        if isinstance(scores, Outcome):
            outcome = scores
        elif not scores.diverged and "interrupted" in scores.status:
            cause = "handed back at shutdown"
            context.tell(TrialReturned(context.worker, trial.number, ticket, cause))
            return False
        else:
            seconds = float(scores.epoch_seconds.sum())
            outcome = outcome_of(
                scores, None, context.definition, epochs=scores.epochs_run, seconds=seconds
            )
            reports = _reports(scores, context.definition.metric)
        if resumed := [epoch for epoch in ended.resumed if epoch < len(reports)]:
            system = outcome.system_attrs | {records.RESUMED: resumed}
            outcome = dataclasses.replace(outcome, system_attrs=system)
        try:
            value = self._queue.end(trial, outcome, reports)
        except LostTrialError as error:
            cause = f"its result came too late ({error})"
            context.tell(TrialReturned(context.worker, trial.number, ticket, cause))
            return False
        state = STATES[outcome.state]
        context.tell(
            TrialDone(context.worker, trial.number, ticket, state, value, seconds, outcome.cause)
        )
        return True


def _of_each(trained: Trained) -> Iterator[tuple[int, Ended]]:
    """Each ticket's own scores, cut to its own epochs; an epoch's seconds are shared evenly among
    the candidates that it counts for."""
    whole = {
        own: ended.scores for own, ended in trained.items() if not isinstance(ended.scores, Outcome)
    }
    last = max((scores.epochs_run for scores in whole.values()), default=0)
    ends = [
        min(epochs, scores.epochs_run)
        for own, scores in whole.items()
        for epochs in own.epochs.values()
    ]
    sharing = np.array([sum(end > epoch for end in ends) for epoch in range(last)])
    for own, ended in trained.items():
        scores = ended.scores
        for ticket, epochs in own.epochs.items():
            if isinstance(scores, Outcome):
                yield ticket, ended
                continue
            cut = scores if epochs >= own.plan.epochs else scores.until(epochs)
            share = cut.epoch_seconds / np.maximum(1, sharing[: cut.epochs_run])
            yield ticket, Ended(dataclasses.replace(cut, epoch_seconds=share), ended.resumed)


def _reports(scores: TrialScores, metric: str) -> list[float]:
    """The mean over the folds after each epoch, up to the first that is not finite: from there on
    it never is again."""
    curve = scores.mean_curve(metric).tolist()
    broken = next((i for i, value in enumerate(curve) if not math.isfinite(value)), len(curve))
    return curve[: broken + 1]
