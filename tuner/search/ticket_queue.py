"""A worker's way to its tickets: ask for one, tell how it ended, hand it back."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.study import Study
from optuna.trial import TrialState

from tuner.errors import UsageError
from tuner.search.heartbeat import BeatWatch
from tuner.search.outcome import Outcome
from tuner.search.room import TrainingRoom
from tuner.search.sweep import Sweeper
from tuner.search.ticket_sampler import TicketSampler
from tuner.search.tickets import (
    TicketCounts,
    count_tickets,
    give_back,
    is_duplicate,
    requeue,
    settled_tickets,
    why_avoided,
)
from tuner.search.worker_storage import QueueEmptyError, WorkerStorage
from tuner.spaces.catalogue import CATALOGUE
from tuner.storage import records
from tuner.storage.backend import Backend, LostTrialError
from tuner.storage.retry import Retry, is_transient
from tuner.study.definition import StudyDefinition
from tuner.study.stored import read_total

#: Seconds for which the study's total is taken as read.
TOTAL_EVERY = 1.0


class _Study(Study):
    """A study whose samplers may say that there is nothing left: the tickets say when to end."""

    def stop(self) -> None:
        pass


class TicketQueue:
    """One worker's tickets of one study.

    Attributes:
        room: entered before a ticket is popped, left before the next one.
    """

    def __init__(
        self,
        backend: Backend,
        study: Study,
        definition: StudyDefinition,
        *,
        owner: str,
        retry: Retry,
        watch: BeatWatch,
        room: TrainingRoom,
        warn: Callable[[str], None],
    ) -> None:
        self.room = room
        self._backend = backend
        self._definition = definition
        self._owner = owner
        self._retry = retry
        self._warn = warn
        self._study_id = study._study_id
        self._storage = WorkerStorage(backend, study._study_id, owner, retry)
        self._sweeper = Sweeper(
            backend,
            study._study_id,
            watch,
            retries=definition.retries,
            call=retry,
            # Often enough for a takeover within the grace and two beats.
            every=min(1.0, watch.interval / 4),
        )
        self._study = _Study(
            study.study_name,
            self._storage,
            sampler=TicketSampler(
                lambda ticket: definition.sampler.build(
                    definition.space, seed=definition.seed, ticket=ticket
                )
            ),
            pruner=definition.pruner.build(most_epochs(definition)),
        )
        self._read_total()

    def ask(self) -> optuna.Trial | None:
        """Pop the next ticket, and enter the room to train it; None where none waits, or nobody
        may train now. Mends what dead workers left behind.

        Raises `UsageError` where the study was deleted, `StorageError`.
        """
        try:
            return self._ask()
        except KeyError:
            self._require_study()
            raise

    def _ask(self) -> optuna.Trial | None:
        self._mend()
        self.room.leave()
        # Those that are run alone come last: nobody has to wait for them to end.
        alone = not self._storage.waits(alone=False)
        if (alone and not self._storage.waits(alone=True)) or not self.room.enter(alone=alone):
            return None
        self._storage.alone = alone
        trial = self._pop()
        if trial is None:
            self.room.leave()
        return trial

    def _pop(self) -> optuna.Trial | None:
        while True:
            try:
                trial = self._study.ask()
            except QueueEmptyError:
                return None
            if self._backend.queues_once or not self._void(trial):
                return trial

    def why_avoided(self, params: Mapping[str, Any]) -> str | None:
        """Why no trial with these parameters (varying ones) is run; None where it is."""
        return why_avoided(params, self._storage.snapshot())

    def settled(self) -> bool:
        """Whether every ticket has ended, by what was read at the last `ask`; looks again for a
        larger total before it says so."""
        counts = self._counts()
        if counts.done < counts.total:
            return False
        self._read_total()
        return counts.total == self._storage.total

    def settled_tickets(self) -> set[int]:
        """The tickets that have ended and are not tried again, read anew. Raises
        `StorageError`."""
        return settled_tickets(self._storage.snapshot(fresh=True), self._definition.retries)

    def flush(self) -> None:
        """Write what was suggested, waiting for the storage if need be. Raises
        `LostTrialError`, `StorageError`."""
        self._retry(self._storage.flush)

    def write(self) -> bool:
        """Write what was reported; tries once. Raises `LostTrialError` or what the storage
        raises."""
        return self._storage.flush()

    def beat(self, trial_id: int) -> None:
        """A heartbeat, from any thread. Raises what the storage raises."""
        try:
            self._beat(trial_id)
        except Exception as error:
            # A training goes on through an outage: this may be all that is seen of it.
            if is_transient(error):
                self._retry.outages += 1
            raise

    def _beat(self, trial_id: int) -> None:
        self._backend.beat(trial_id, self._owner)

    def tell(self, trial: optuna.Trial, outcome: Outcome) -> float | None:
        """End the trial, all in one write; the value it is known by.

        Raises `LostTrialError` where another worker has it by now: the result is void.
        """
        user, system = outcome.attributes()
        for key, value in user.items():
            trial.set_user_attr(key, value)
        for key, value in system.items():
            self._storage.set_trial_system_attr(trial._trial_id, key, value)
        told = self._study.tell(trial, outcome.value, state=outcome.state)
        if outcome.state == TrialState.FAIL:
            return None
        return told.value if told.values and math.isfinite(told.values[0]) else None

    def hand_back(self) -> None:
        """Let the ticket of the current trial wait again. Raises `StorageError`."""
        own = self._storage.own
        if own is None:
            return
        with suppress(LostTrialError):  # it waits, or runs elsewhere, already
            self._retry(lambda: give_back(self._backend, own._trial_id, self._owner))
        self.forget()
        self._requeue()

    def forget(self) -> None:
        self._storage.forget()

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
            self._storage.snapshot(fresh=True)

    def _require_study(self) -> None:
        name = self._study.study_name
        try:
            self._retry(lambda: self._backend.storage.get_study_id_from_name(name))
        except KeyError:
            raise UsageError(f"study {name!r} was deleted while a worker was at it") from None

    def _void(self, trial: optuna.Trial) -> bool:
        """End the popped trial where it is another's duplicate."""
        own = self._storage.own
        assert own is not None
        if not is_duplicate(own, self._storage.snapshot(fresh=True)):
            return False
        trial.set_user_attr(records.CAUSE, records.DUPLICATE)
        self._storage.set_trial_system_attr(trial._trial_id, records.SETTLED, records.DUPLICATE)
        self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        return True

    def _requeue(self) -> None:
        trials = self._storage.snapshot(fresh=True)
        self._retry(
            lambda: requeue(
                self._backend,
                self._study_id,
                trials,
                total=self._storage.total,
                retries=self._definition.retries,
            )
        )

    def _counts(self) -> TicketCounts:
        return count_tickets(
            self._storage.snapshot(), total=self._storage.total, retries=self._definition.retries
        )

    def _read_total(self) -> None:
        self._total_read_at = time.monotonic()
        self._storage.total = self._retry(lambda: read_total(self._backend.storage, self._study_id))


def most_epochs(definition: StudyDefinition) -> int:
    """The most epochs that a trial of the study may train."""
    parameter = definition.space.params.get("epochs")
    kind = None if parameter is None else parameter.to_optuna()
    if isinstance(kind, IntDistribution):
        return kind.high
    if isinstance(kind, CategoricalDistribution):
        return max(choice for choice in kind.choices if isinstance(choice, int))
    fixed = None if parameter is None else parameter.points()
    epochs = fixed[0] if fixed else CATALOGUE["epochs"].default
    assert isinstance(epochs, int)
    return epochs
