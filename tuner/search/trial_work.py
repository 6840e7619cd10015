"""A worker's share of a study whose trials depend on others: one ticket at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import optuna

from tuner.errors import StorageError, UsageError
from tuner.planning.seeds import network_seed
from tuner.search import records
from tuner.search.definition import StudyDefinition
from tuner.search.events import (
    EpochDone,
    Event,
    TrialDone,
    TrialReturned,
    TrialStarted,
    WorkerId,
)
from tuner.search.heartbeat import Heartbeat
from tuner.search.outcome import STATES, Outcome, failed, outcome_of
from tuner.search.reporting import EpochReporter
from tuner.search.storage.backend import LostTrialError
from tuner.search.ticket_queue import TicketQueue
from tuner.search.trainer import PlanLike, TrainerLike

logger = logging.getLogger(__name__)

#: Seconds for which reports of fast epochs are collected.
FLUSH = 0.5


class TrialWork:
    """Works on one ticket at a time: ask, train, report after every epoch, tell."""

    def __init__(
        self,
        worker: WorkerId,
        queue: TicketQueue,
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
        """Work on one ticket; False where none waits."""
        trial = self._queue.ask()
        if trial is not None:
            self._work(trial)
        return trial is not None

    def _work(self, trial: optuna.Trial) -> None:
        """Train one trial and tell how it ended."""
        ticket = int(trial.user_attrs[records.TICKET])
        self._beats.start(trial._trial_id)
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
            self._beats.stop()
            self._queue.hand_back()
            raise
        finally:
            self._beats.stop()
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
            self._tell(TrialReturned(self._worker, trial.number, ticket, returned))
            return
        assert outcome is not None
        seconds = time.monotonic() - began
        state = STATES[outcome.state]
        self._tell(
            TrialDone(self._worker, trial.number, ticket, state, value, seconds, outcome.cause)
        )

    def _train(self, trial: optuna.Trial, ticket: int) -> Outcome | None:
        """The outcome, or None where the trial is to be handed back."""
        definition = self._definition
        params = definition.space.suggest(trial)
        self._queue.flush()
        plan: PlanLike = self._trainer.plan(params)
        self._tell(
            TrialStarted(self._worker, trial.number, ticket, dict(trial.params), plan.epochs)
        )
        seeds = [network_seed(definition.seed, ticket, i) for i in range(self._trainer.folds)]

        def on_epoch(epoch: int, value: float) -> None:
            self._tell(EpochDone(self._worker, trial.number, epoch, plan.epochs, value))

        reporter = EpochReporter(
            trial,
            f"val_{definition.metric}",
            epochs=plan.epochs,
            flush=self._flush,
            flush_every=FLUSH,
            stop=self._ending,
            on_epoch=on_epoch,
        )
        began = time.monotonic()
        scores = self._trainer.train(plan, seeds, callbacks=[reporter])
        seconds = time.monotonic() - began
        if reporter.lost is not None:
            raise reporter.lost
        if reporter.stopped:
            return None
        return outcome_of(scores, reporter, definition, epochs=plan.epochs, seconds=seconds)

    def _flush(self) -> Any:
        if self._queue.write():
            self._beats.beaten()
