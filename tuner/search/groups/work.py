"""A worker's share of a study whose candidates are known: claim a group, train, tell each."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tuner.errors import StorageError, UsageError
from tuner.planning.seeds import network_seed
from tuner.search.definition import StudyDefinition
from tuner.search.events import (
    EpochDone,
    Event,
    TrialDone,
    TrialReturned,
    TrialStarted,
    WorkerId,
)
from tuner.search.groups.queue import Claim, GroupQueue
from tuner.search.groups.rule import Training
from tuner.search.heartbeat import Heartbeat
from tuner.search.outcome import STATES, Outcome, failed, outcome_of
from tuner.search.storage.backend import LostTrialError
from tuner.search.trainer import TrainerLike

if TYPE_CHECKING:
    from tuner.training.scores import TrialScores

logger = logging.getLogger(__name__)

#: How a training went: its scores, or why there are none.
Trained = Mapping[Training, "TrialScores | Outcome"]


class GroupWork:
    """Trains whole groups; each of its tickets ends as if it had trained alone.

    Args:
        ending: asked after every epoch; true: candidates that have not ended are handed back.
    """

    def __init__(
        self,
        worker: WorkerId,
        queue: GroupQueue,
        trainer: TrainerLike,
        definition: StudyDefinition,
        beats: Heartbeat,
        ending: Callable[[], bool],
        on_event: Callable[[Event], None],
    ) -> None:
        self._worker = worker
        self._queue = queue
        self._trainer = trainer
        self._definition = definition
        self._beats = beats
        self._ending = ending
        self._tell = on_event

    def step(self) -> bool:
        """Work on one group; False where none waits."""
        claim = self._queue.claim(self._trainer)
        if claim is None:
            return False
        self._beats.start(next(iter(claim.trials.values()))._trial_id)
        try:
            self._work(claim)
        except StorageError:
            raise
        except BaseException:
            self._beats.stop()
            self._queue.hand_back()
            raise
        finally:
            self._beats.stop()
        self._queue.hand_back()
        return True

    def _work(self, claim: Claim) -> None:
        for training in claim.group.trainings:
            for ticket, epochs in training.epochs.items():
                if ticket in claim.trials:
                    trial = claim.trials[ticket]
                    params = dict(trial.system_attrs.get("fixed_params", trial.params))
                    self._tell(TrialStarted(self._worker, trial.number, ticket, params, epochs))
        refused = claim.group.refused
        trained: Trained
        if refused is not None:
            trained = {own: failed(refused, final=True) for own in claim.group.trainings}
        else:
            trained = self._train(claim, claim.group.trainings)
        for ticket, scores in sorted(_of_each(trained), key=lambda pair: pair[0]):
            if ticket in claim.trials:
                self._end(claim, ticket, scores)

    def _train(self, claim: Claim, trainings: Sequence[Training]) -> Trained:
        """Train them in one stack. Where that raises, each in a stack of its own: the cause may
        lie in one of them, and the same one fails wherever the group is trained."""
        seeds = [
            [network_seed(self._definition.seed, own.first, i) for i in range(self._trainer.folds)]
            for own in trainings
        ]

        def on_epoch(epoch: int, values: Sequence[float]) -> bool:
            for own, value in zip(trainings, values, strict=True):
                for ticket, epochs in own.epochs.items():
                    if ticket in claim.trials and epoch <= epochs:
                        number = claim.trials[ticket].number
                        self._tell(EpochDone(self._worker, number, epoch, epochs, value))
            return self._ending()

        plans = [own.plan for own in trainings]
        try:
            scores = self._trainer.train_stack(plans, seeds, on_epoch)
        except Exception as error:
            if len(trainings) > 1:
                logger.warning("%d candidates failed together", len(trainings), exc_info=True)
                return {
                    own: scores
                    for training in trainings
                    for own, scores in self._train(claim, [training]).items()
                }
            logger.warning("ticket %d failed", trainings[0].first, exc_info=True)
            if isinstance(error, UsageError):  # such a combination cannot be trained
                return {trainings[0]: failed(str(error), final=True)}
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            return {trainings[0]: failed(text, final=False)}
        return dict(zip(trainings, scores, strict=True))

    def _end(self, claim: Claim, ticket: int, scores: TrialScores | Outcome) -> None:
        """Tell how a ticket ended; one that was interrupted is left to be handed back."""
        trial = claim.trials[ticket]
        reports: list[float] = []
        seconds = 0.0
        if isinstance(scores, Outcome):
            outcome = scores
        elif not scores.diverged and "interrupted" in scores.status:
            cause = "handed back at shutdown"
            self._tell(TrialReturned(self._worker, trial.number, ticket, cause))
            return
        else:
            seconds = float(scores.epoch_seconds.sum())
            outcome = outcome_of(
                scores, None, self._definition, epochs=scores.epochs_run, seconds=seconds
            )
            reports = _reports(scores, self._definition.metric)
        try:
            value = self._queue.end(trial, outcome, reports)
        except LostTrialError as error:
            cause = f"its result came too late ({error})"
            self._tell(TrialReturned(self._worker, trial.number, ticket, cause))
            return
        state = STATES[outcome.state]
        self._tell(
            TrialDone(self._worker, trial.number, ticket, state, value, seconds, outcome.cause)
        )


def _of_each(trained: Trained) -> Iterator[tuple[int, TrialScores | Outcome]]:
    """Each ticket's own scores, cut to its own epochs; an epoch's seconds are shared evenly among
    the candidates that it counts for."""
    whole = {own: scores for own, scores in trained.items() if not isinstance(scores, Outcome)}
    last = max((scores.epochs_run for scores in whole.values()), default=0)
    ends = [
        min(epochs, scores.epochs_run)
        for own, scores in whole.items()
        for epochs in own.epochs.values()
    ]
    sharing = np.array([sum(end > epoch for end in ends) for epoch in range(last)])
    for own, scores in trained.items():
        for ticket, epochs in own.epochs.items():
            if isinstance(scores, Outcome):
                yield ticket, scores
                continue
            cut = scores if epochs >= own.plan.epochs else scores.until(epochs)
            share = cut.epoch_seconds / np.maximum(1, sharing[: cut.epochs_run])
            yield ticket, dataclasses.replace(cut, epoch_seconds=share)


def _reports(scores: TrialScores, metric: str) -> list[float]:
    """The mean over the folds after each epoch, up to the first that is not finite: from there on
    it never is again."""
    curve = scores.mean_curve(metric).tolist()
    broken = next((i for i, value in enumerate(curve) if not math.isfinite(value)), len(curve))
    return curve[: broken + 1]
