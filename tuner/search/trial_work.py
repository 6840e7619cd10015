"""A worker's share of a study whose trials depend on others: one ticket at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import optuna
from optuna.trial import TrialState

from tuner.errors import StorageError, UsageError
from tuner.planning.seeds import network_seed
from tuner.search.checkpoints.writer import CheckpointWriter
from tuner.search.context import WorkContext
from tuner.search.events import EpochDone, TrialDone, TrialReturned, TrialStarted
from tuner.search.outcome import STATES, Outcome, failed, outcome_of
from tuner.search.reporting import EpochReporter
from tuner.search.rungs import rungs_of
from tuner.search.ticket_queue import TicketQueue
from tuner.search.trainer import PlanLike
from tuner.storage import records
from tuner.storage.backend import LostTrialError

logger = logging.getLogger(__name__)

#: Seconds for which reports of fast epochs are collected.
FLUSH = 0.5


class TrialWork:
    """Works on one ticket at a time: ask, train, report after every epoch, tell."""

    def __init__(self, queue: TicketQueue, context: WorkContext) -> None:
        self._queue = queue
        self._context = context

    def step(self) -> bool:
        """Work on one ticket; False where none waits."""
        trial = self._queue.ask()
        if trial is not None:
            self._work(trial)
        return trial is not None

    def _work(self, trial: optuna.Trial) -> None:
        """Train one trial and tell how it ended."""
        context = self._context
        ticket = int(trial.user_attrs[records.TICKET])
        context.beats.start(trial._trial_id)
        began = time.monotonic()
        returned: str | None = None
        outcome: Outcome | None = None
        try:
            outcome = self._train(trial, ticket)
        except LostTrialError as error:
            returned = f"another worker took it over ({error})"
        except StorageError:
            raise
        except UsageError as error:  # such a combination cannot be trained
            outcome = failed(str(error), final=True)
        except Exception as error:
            logger.warning("trial %d failed", trial.number, exc_info=True)
            outcome = failed(f"{type(error).__name__}: {error}".splitlines()[0], final=False)
        except BaseException:
            context.beats.stop()
            self._queue.hand_back()
            raise
        finally:
            context.beats.stop()
        if outcome is not None:
            try:
                value = self._queue.tell(trial, outcome)
            except LostTrialError as error:
                returned = f"its result came too late ({error})"
        elif returned is None:
            returned = "handed back at shutdown"
            self._queue.hand_back()
        if returned is not None:
            self._queue.forget()
            context.tell(TrialReturned(context.worker, trial.number, ticket, returned))
            return
        assert outcome is not None
        if outcome.state == TrialState.FAIL and not outcome.final:
            context.checkpoints.sweep(self._queue.settled_tickets)  # it may be tried again
        else:
            context.checkpoints.remove([ticket])
        seconds = time.monotonic() - began
        state = STATES[outcome.state]
        context.tell(
            TrialDone(context.worker, trial.number, ticket, state, value, seconds, outcome.cause)
        )

    def _train(self, trial: optuna.Trial, ticket: int) -> Outcome | None:
        """The outcome, or None where the trial is to be handed back."""
        context, definition = self._context, self._context.definition
        trainer = context.trainer
        params = definition.space.suggest(trial)
        self._queue.flush()
        if cause := self._queue.why_avoided(trial.params):
            return failed(cause, final=True)
        plan: PlanLike = trainer.plan(params)
        given, alone = dict(trial.params), self._queue.room.alone
        context.tell(TrialStarted(context.worker, trial.number, ticket, given, plan.epochs, alone))
        seeds = [network_seed(definition.seed, ticket, i) for i in range(trainer.folds)]

        def on_epoch(epoch: int, value: float) -> None:
            context.tell(EpochDone(context.worker, trial.number, epoch, plan.epochs, value))

        reporter = EpochReporter(
            trial,
            f"val_{definition.metric}",
            epochs=plan.epochs,
            flush=self._flush,
            flush_every=FLUSH,
            stop=context.ending,
            on_epoch=on_epoch,
        )
        checkpoint = context.checkpoints.of([ticket], lambda: trainer.identity([plan], [seeds]))
        past = checkpoint.load()
        if past is not None:
            reporter.resume(past.notes["reports"])
            _set_rungs(trial, past.notes["rungs"])

        def notes() -> dict[str, Any]:
            return {"reports": list(reporter.values.values()), "rungs": _rungs(trial)}

        writer = CheckpointWriter(checkpoint, notes=notes, leaving=lambda: reporter.stopped)
        began = time.monotonic()
        try:
            state = None if past is None else past.state
            scores = trainer.train(plan, seeds, callbacks=[reporter, writer], state=state)
        except Exception:
            if past is not None:
                checkpoint.remove()  # it may be the cause: the next attempt begins anew
            raise
        seconds = time.monotonic() - began + checkpoint.seconds
        if reporter.lost is not None:
            raise reporter.lost
        if reporter.stopped:
            return None
        outcome = outcome_of(scores, reporter, definition, epochs=plan.epochs, seconds=seconds)
        if not checkpoint.resumed:
            return outcome
        resumed = {records.RESUMED: checkpoint.resumed}
        return replace(outcome, system_attrs=outcome.system_attrs | resumed)

    def _flush(self) -> Any:
        if self._queue.write():
            self._context.beats.beaten()


def _rungs(trial: optuna.Trial) -> dict[str, float]:
    """What the pruner has noted of the trial."""
    return rungs_of(trial.storage.get_trial(trial._trial_id))


def _set_rungs(trial: optuna.Trial, rungs: Mapping[str, float]) -> None:
    for name, value in rungs.items():
        trial.storage.set_trial_system_attr(trial._trial_id, name, value)
