"""A worker's share of a study: claim a group of tickets, train it, tell how each one ended.

A trial that depends on others is a group of one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import optuna

from tuner.errors import StorageError, UsageError
from tuner.search.attempt import Attempt, Result, WorkContext, taken_over
from tuner.search.claims import Claim
from tuner.search.events import TrialDone, TrialReturned, TrialStarted
from tuner.search.groups import Training
from tuner.search.queue import TicketQueue
from tuner.search.tickets import given_params
from tuner.search.trial_end import TrialEnd, failed, failed_by
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
            return dict.fromkeys(claim.trials, taken_over(error))
        except UsageError as error:  # such a combination cannot be trained
            return dict.fromkeys(claim.trials, Result(failed_by(error)))
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
        attempt = Attempt(self._context, claim, trainings, self._flush)
        began = time.monotonic()
        try:
            return attempt.run()
        except StorageError:
            raise
        except Exception as error:
            logger.warning("training of %d candidates failed", len(trainings), exc_info=True)
            failure = failed_by(error, seconds=time.monotonic() - began)
        if attempt.resumed and not claim.live:  # a pruner that was asked cannot be asked again
            return self._train(claim, trainings)
        if len(trainings) == 1:
            tickets = claim.trials.keys() & trainings[0].epochs.keys()
            return dict.fromkeys(tickets, Result(failure))
        apart = [self._train(claim, [training]) for training in trainings]
        return {ticket: result for each in apart for ticket, result in each.items()}

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
            state = records.STATES[end.state.name]
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

    def _flush(self, trial: optuna.Trial) -> None:
        if self._queue.write(trial):
            self._context.beats.beaten()
