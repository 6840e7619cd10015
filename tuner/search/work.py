"""A worker's share of a study: claim a group of tickets, train it, tell how each one ended.

A trial that depends on others is a group of one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from tuner.errors import StorageError
from tuner.search.attempt import Attempt, WorkContext
from tuner.search.claims import Claim
from tuner.search.events import TrialDone, TrialReturned, TrialStarted
from tuner.search.groups import Training
from tuner.search.queue import TicketQueue
from tuner.search.tickets import given_params
from tuner.search.trial_end import TrialEnd, failed_by, lost, refused
from tuner.storage import records
from tuner.storage.backend import LostTrialError

logger = logging.getLogger(__name__)


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
        try:
            self._work(claim)
        except StorageError:
            raise
        except BaseException:
            self._queue.hand_back()
            raise
        self._queue.hand_back()
        return True

    def _work(self, claim: Claim) -> None:
        checkpoints = self._context.checkpoints
        ends = [self._tell(claim, ticket, end) for ticket, end in sorted(self._ends(claim).items())]
        if claim.live and all(end.settled for end in ends):
            checkpoints.remove(claim.trials)
        elif all(end.state.is_finished() for end in ends):
            checkpoints.sweep(self._queue.settled_tickets)

    def _ends(self, claim: Claim) -> dict[int, TrialEnd]:
        """Train the claim's group; how each of its tickets ended."""
        try:
            group = claim.group()
        except StorageError:
            raise
        except LostTrialError as error:
            return dict.fromkeys(claim.trials, lost(error))
        except Exception as error:
            return dict.fromkeys(claim.trials, _failed(error, f"tickets {list(claim.trials)}"))
        if group.refused is not None:
            return dict.fromkeys(claim.trials, refused(group.refused))
        for training in group.trainings:
            for ticket, epochs in training.epochs.items():
                if ticket in claim.trials:
                    self._started(claim, ticket, epochs)
        return self._train(claim, group.trainings)

    def _train(self, claim: Claim, trainings: Sequence[Training]) -> dict[int, TrialEnd]:
        """Train them in one stack. If that raises, each in a stack of its own: the cause may lie
        in one of them, and the same one fails wherever the group is trained."""
        attempt = Attempt(self._context, claim, trainings, self._queue.write)
        try:
            return attempt.run()
        except StorageError:
            raise
        except Exception as error:
            end = _failed(error, f"training of {len(trainings)} candidates")
        if attempt.resumed:
            attempt.checkpoint.remove()  # it may be the cause
            if not claim.live:  # a pruner that was asked cannot be asked again
                return self._train(claim, trainings)
        if len(trainings) == 1:
            return dict.fromkeys(claim.trials.keys() & trainings[0].epochs.keys(), end)
        apart = [self._train(claim, [training]) for training in trainings]
        return {ticket: end for each in apart for ticket, end in each.items()}

    def _tell(self, claim: Claim, ticket: int, end: TrialEnd) -> TrialEnd:
        """Tell how a ticket ended, if it has and its trial is not another worker's by now."""
        worker, trial, value = self._context.worker, claim.trials[ticket], None
        if end.state.is_finished():
            try:
                value = self._queue.tell(trial, end)
            except LostTrialError as error:
                end = lost(error, "its result came too late")
        if not end.state.is_finished():
            self._context.tell(TrialReturned(worker, trial.number, ticket, end.cause or ""))
            return end
        state = records.STATES[end.state.name]
        seconds = time.monotonic() - claim.began if claim.live else end.seconds
        done = TrialDone(worker, trial.number, ticket, state, value, seconds, end.cause)
        self._context.tell(done)
        return end

    def _started(self, claim: Claim, ticket: int, epochs: int) -> None:
        context, trial = self._context, claim.trials[ticket]
        params = given_params(trial.storage.get_trial(trial._trial_id))
        started = TrialStarted(context.worker, trial.number, ticket, params, epochs, claim.alone)
        context.tell(started)


def _failed(error: Exception, what: str) -> TrialEnd:
    end = failed_by(error)
    if not end.final:  # nobody's mistake in a definition
        logger.warning("%s failed", what, exc_info=error)
    return end
