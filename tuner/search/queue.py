"""A worker's way to tickets: claim those of a group, tell how each ended, hand the rest back."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from tuner.errors import StorageError, UsageError
from tuner.search.claims import AskedTrials, Claim, ClaimSource, ReadyGroups
from tuner.search.groups import is_grouped
from tuner.search.heartbeat import Heartbeat
from tuner.search.machine import MachineLock
from tuner.search.points import is_enqueued, settle_enqueued
from tuner.search.sweep import Sweeper
from tuner.search.tickets import (
    duplicates,
    fail,
    give_back,
    last_trials,
    settled_tickets,
)
from tuner.search.trainer import TrainerLike
from tuner.search.trial_end import TrialEnd
from tuner.search.worker_storage import WorkerStorage
from tuner.search.worker_study import WorkerStudy
from tuner.storage import records
from tuner.storage.backend import Backend, LostTrialError
from tuner.storage.owner import new_owner
from tuner.storage.retry import Retry, is_transient
from tuner.study.definition import StudyDefinition
from tuner.study.stored import read_total
from tuner.text import quoted

#: Seconds for which the study's total is taken as read.
TOTAL_EVERY = 1.0


class TicketQueue:
    """One worker's tickets of one study.

    Args:
        key: see `study_key`; None: nobody else works on the study.
        grace, heartbeat: seconds; see `BeatWatch`.
        warn: told of takeovers.
    """

    def __init__(
        self,
        backend: Backend,
        study: Study,
        definition: StudyDefinition,
        trainer: TrainerLike,
        *,
        key: str | None,
        retry: Retry,
        grace: float,
        heartbeat: float,
        warn: Callable[[str], None],
    ) -> None:
        self._backend = backend
        self._definition = definition
        self._owner = new_owner()
        self._retry = retry
        self._machine = MachineLock(key)
        self._warn = warn
        self._broken: StorageError | None = None
        self._study_id = study._study_id
        self._storage = WorkerStorage(backend, study._study_id, self._owner, retry)
        self._sweeper = Sweeper(
            backend,
            study._study_id,
            retry,
            retries=definition.retries,
            grace=grace,
            interval=heartbeat,
            # Often enough for a takeover within the grace and two beats.
            every=min(1.0, heartbeat / 4),
        )
        self._study = WorkerStudy(
            study.study_name,
            self._storage,
            definition,
            getattr(trainer, "sampler", None),
            getattr(trainer, "pruner", None),
        )
        source = ReadyGroups if is_grouped(definition) else AskedTrials
        self._source: ClaimSource = source(self._study, self._storage, definition, trainer)
        self._read_total()
        self._beats = Heartbeat(self._beat, heartbeat)

    def claim(self) -> Claim | None:
        """The next group with waiting tickets, this machine locked to train it and hearts beating
        until `hand_back`; None if there is none now, or nobody may train. Mends what dead workers
        left behind.

        Raises `UsageError` if the study was deleted, `StorageError`.
        """
        try:
            self._mend()
            return self._claim()
        except KeyError:
            self._require_study()
            raise

    def _claim(self) -> Claim | None:
        self._machine.release()
        # Those that are run alone come last: nobody has to wait for them to end.
        alone = not any(self._storage.waiting(alone=False))
        if alone and not any(self._storage.waiting(alone=True)):
            return None
        if not self._machine.acquire(alone=alone):
            return None
        claim = self._source.next(alone=alone)
        if claim is None:
            self._machine.release()
        else:
            self._beats.start()
        return claim

    def settled(self) -> bool:
        """Whether every ticket has ended, by what was read at the last `claim`; looks again for a
        larger total before it says so."""
        total = self._storage.total
        trials = self._storage.snapshot()
        ended = settled_tickets(trials, self._definition.retries)
        if any(map(is_enqueued, trials)) or not ended.issuperset(range(total)):
            return False
        self._read_total()
        return total == self._storage.total

    def settled_tickets(self) -> set[int]:
        """The tickets that have ended and are not tried again, read anew. Raises
        `StorageError`."""
        return settled_tickets(self._storage.snapshot(fresh=True), self._definition.retries)

    def write(self, trial: optuna.Trial) -> None:
        """Write what a claimed trial reported, if anything; tries once. Raises `LostTrialError`
        or what the storage raises."""
        if self._storage.flush(trial._trial_id):
            self._beats.beaten()

    def _beat(self) -> None:
        """A heartbeat for every claimed trial. Raises what the storage raises."""
        try:
            for trial_id in self._storage.own:
                with suppress(LostTrialError):  # told just now, or another's: its telling finds out
                    self._retry.once(partial(self._backend.beat, trial_id, self._owner))
        except Exception as error:
            # A training goes on through an outage: this may be all that is seen of it.
            if is_transient(error):
                self._retry.outages += 1
            elif isinstance(error, StorageError):
                self._broken = error
            raise

    def require_storage(self) -> None:
        """Raises the `StorageError` that the last heartbeat met, if no waiting heals it."""
        if self._broken is not None:
            raise self._broken

    def tell(self, trial: optuna.Trial, end: TrialEnd) -> float | None:
        """End a claimed trial, all in one write; the value it is known by.

        Raises `LostTrialError` if another worker has it by now: the result is void.
        """
        for key, value in end.user_attrs.items():
            trial.set_user_attr(key, value)
        if end.cause is not None:
            trial.set_user_attr(records.CAUSE, end.cause)
        final = {records.SETTLED: records.FINAL} if end.final else {}
        for key, value in (end.system_attrs | final).items():
            self._storage.set_trial_system_attr(trial._trial_id, key, value)
        told = self._study.tell(trial, end.values, state=end.state)
        if self._study.exhausted:
            self._end_with_what_has_begun()
        if end.state == TrialState.FAIL:
            return None
        return told.values[0] if told.values and math.isfinite(told.values[0]) else None

    def _end_with_what_has_begun(self) -> None:
        last = last_trials(self._storage.snapshot(fresh=True))
        total = 1 + max(ticket for ticket, own in last.items() if own.state != TrialState.WAITING)
        lower = partial(self._backend.set_total, self._study_id, total, lower=True)
        self._storage.total = self._retry(lower)

    def hand_back(self) -> None:
        """Let the claimed tickets that were not told wait again, the lowest last: whoever sees it
        wait sees them all. Raises `StorageError`."""
        self._beats.stop()
        own = self._storage.own
        for trial_id in reversed(own):
            with suppress(LostTrialError):  # it waits, or runs elsewhere, already
                self._retry(partial(give_back, self._backend, trial_id, self._owner))
            self._storage.forget(trial_id)
        if own:
            self._sweeper.requeue(self._storage.snapshot(fresh=True), self._storage.total)

    def close(self) -> None:
        self._beats.close()
        self._machine.release()

    def _mend(self) -> None:
        if time.monotonic() - self._total_read_at >= TOTAL_EVERY:
            # Somebody may have asked for fewer since; more are looked for in `settled`.
            self._read_total()
        trials = self._storage.snapshot(fresh=True)
        if not trials:
            self._require_study()
        for line in self._sweeper.sweep(trials, self._storage.total):
            self._warn(f"{line}; its ticket is tried again")
        if self._sweeper.changed:
            trials = self._storage.snapshot(fresh=True)
        if not self._backend.atomic and (void := duplicates(trials)):
            for trial in void:
                trial_id = trial._trial_id
                if self._retry(partial(self._backend.pop, trial_id, self._owner)):
                    cause = records.DUPLICATE
                    self._retry(partial(fail, self._backend, trial_id, self._owner, cause, cause))
            trials = self._storage.snapshot(fresh=True)
        if any(map(is_enqueued, trials)):
            self._take_in(trials)

    def _take_in(self, trials: Sequence[FrozenTrial]) -> None:
        """Make room for the trials that something else enqueued, or fail them."""
        backend, study_id, total = self._backend, self._study_id, self._storage.total
        lines, self._storage.total = self._retry(
            lambda: settle_enqueued(backend, study_id, self._definition, trials, total)
        )
        for line in lines:
            self._warn(line)
        self._storage.snapshot(fresh=True)

    def _require_study(self) -> None:
        name = self._study.study_name
        try:
            self._retry(lambda: self._backend.storage.get_study_id_from_name(name))
        except KeyError:
            raise UsageError(f"study {quoted(name)} was deleted while a worker was at it") from None

    def _read_total(self) -> None:
        self._total_read_at = time.monotonic()
        self._storage.total = self._retry(lambda: read_total(self._backend.storage, self._study_id))
