"""How a worker finds and claims its next trials: one that its sampler fills, or a ready group.

A claim makes them RUNNING and this worker's in one transaction: `Backend.claim` of the storage."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from optuna import Trial
from optuna.trial import FixedTrial, FrozenTrial, TrialState

from tuner.errors import SpaceError
from tuner.search.constraints import known_before
from tuner.search.groups import Group, groups_of, single
from tuner.search.points import is_enqueued
from tuner.search.tickets import (
    given_params,
    is_alone,
    is_first,
    is_free,
    last_trials,
    turn_of,
    was_killed,
    why_avoided,
)
from tuner.search.trainer import TrainerLike
from tuner.search.worker_storage import WorkerStorage
from tuner.search.worker_study import WorkerStudy
from tuner.spaces.points import fitted_point
from tuner.storage import records
from tuner.storage.backend import Writes
from tuner.study.definition import StudyDefinition


@dataclass(frozen=True)
class Claim:
    """A group to train, and those of its tickets that are this worker's to tell.

    Attributes:
        trials: ticket to the trial that was popped.
        group: asks for the group, which may take a sampler's time. Raises `LostTrialError`,
            `StorageError`, `UsageError` if its only trial cannot be trained.
        alone: no other worker of the study trains on this machine meanwhile.
        began: when, by `time.monotonic`.
        live: reports are written and the pruner is asked in every epoch; else the reports are
            written with the results.
    """

    trials: Mapping[int, Trial]
    group: Callable[[], Group]
    alone: bool
    live: bool
    began: float = field(default_factory=time.monotonic)


@dataclass(eq=False)
class ClaimSource(ABC):
    """Finds what a worker does next in a `study` on `storage`."""

    study: WorkerStudy
    storage: WorkerStorage
    definition: StudyDefinition
    trainer: TrainerLike

    @abstractmethod
    def next(self, *, alone: bool) -> Claim | None:
        """Claim trials that wait and are to run alone, or some that are not; None if there are
        none to be had."""


class AskedTrials(ClaimSource):
    """One trial at a time; the study's sampler chooses its parameters. For trials that depend on
    others."""

    def next(self, *, alone: bool) -> Claim | None:
        if not alone and (enqueued := self._enqueued()) is not None:
            return self._claim(*enqueued, alone)
        for waiting in sorted(self.storage.waiting(alone=alone), key=lambda own: not is_first(own)):
            if self.storage.pop(waiting._trial_id):
                return self._claim(waiting._trial_id, waiting.user_attrs[records.TICKET], alone)
        return None

    def _claim(self, trial_id: int, ticket: int, alone: bool) -> Claim:
        trial = self.study.trial(trial_id, ticket)
        return Claim({ticket: trial}, partial(self._group, ticket, trial), alone, live=True)

    def _enqueued(self) -> tuple[int, int] | None:
        """The id and the ticket of a trial that something else enqueued, claimed in the place of
        one of whose parameters nothing is known; None if there is none, or no place now."""
        if self.definition.sampler.ready:
            return None  # see `settle_enqueued`
        while (fitting := next(self._fitting(), None)) is not None:
            place = next(filter(is_free, self.storage.waiting(alone=False)), None)
            if place is None:
                return None
            if self.storage.pop(place._trial_id):
                enqueued, point = fitting
                ticket, turn = int(place.user_attrs[records.TICKET]), turn_of(place)
                named = {records.FIXED_PARAMS: point, records.FIRST: True, records.TURN: turn + 1}
                ours = {records.TICKET: ticket, records.ATTEMPT: 0}
                # It may be a named point itself by now.
                free = not given_params(self.storage.get_trial(place._trial_id))
                wanted = {enqueued._trial_id: Writes(user_attrs=ours, system_attrs=named)}
                taken = free and bool(self.storage.claim(wanted))
                self.storage.put_back(place._trial_id, void=taken)
                if taken:
                    return enqueued._trial_id, ticket
            self.storage.snapshot(fresh=True)  # another worker was quicker
        return None

    def _fitting(self) -> Iterator[tuple[FrozenTrial, dict[str, Any]]]:
        """The trials that something else enqueued and that fit the space, with their points."""
        for trial in filter(is_enqueued, self.storage.snapshot()):
            with suppress(SpaceError):  # `settle_enqueued` tells
                yield trial, fitted_point(self.definition.space, given_params(trial))

    def _group(self, ticket: int, trial: Trial) -> Group:
        params = self.definition.space.suggest(trial)
        self.storage.call(lambda: self.storage.flush(trial._trial_id))
        refused = why_avoided(trial.params, self.storage.snapshot())
        if refused is not None:
            return single(ticket, None, refused=refused)
        plan = self.trainer.plan(params)
        if (known := known_before(self.definition, plan)) is not None:
            return single(ticket, None, refused=known[0], broken=known[1])
        return single(ticket, plan)


class ReadyGroups(ClaimSource):
    """All waiting tickets of a group at once, of candidates that are known before they run.

    A group one of whose tickets runs is its worker's; whoever finds another one's tickets waiting
    (they were handed back, or tried again) trains the whole group once more and tells those. Two
    workers that reach for the same group reach for its lowest waiting ticket first, and who misses
    that leaves the group alone. Nothing rests on it: a ticket is one worker's, as always.

    A group in which a trial was killed for breaking a limit is not trained as a whole again: its
    tickets are claimed one by one, each in a stack of its own.
    """

    _groups: tuple[int, list[Group]] = (0, [])  # of so many tickets

    def next(self, *, alone: bool) -> Claim | None:
        last = last_trials(self.storage.snapshot())
        groups = sorted(
            self._all_groups(last),
            key=lambda group: not any(is_first(last[ticket]) for ticket in group.tickets),
        )
        claims = (self._claim(group, last, alone) for group in groups)
        return next(filter(None, claims), None)

    def _claim(self, group: Group, last: Mapping[int, FrozenTrial], alone: bool) -> Claim | None:
        own = {ticket: last[ticket] for ticket in group.tickets}
        waiting = {
            ticket: trial
            for ticket, trial in own.items()
            if trial.state == TrialState.WAITING and is_alone(trial) == alone
        }
        if not waiting or any(trial.state == TrialState.RUNNING for trial in own.values()):
            return None
        if any(map(was_killed, own.values())):
            ticket, trial = min(waiting.items())
            group, waiting = self._apart(group, ticket, trial), {ticket: trial}
        wanted = {trial._trial_id: self._params(trial) for trial in waiting.values()}
        claimed = self.storage.claim(wanted)
        trials = {
            ticket: self.study.trial(trial._trial_id, ticket)
            for ticket, trial in waiting.items()
            if trial._trial_id in claimed
        }
        return Claim(trials, lambda: group, alone, live=False) if trials else None

    def _apart(self, group: Group, ticket: int, trial: FrozenTrial) -> Group:
        """The ticket on its own, seeded as in its group."""
        params = given_params(trial)
        refused = group.refused or why_avoided(params, self.storage.snapshot())
        if refused is not None:
            return single(ticket, None, refused=refused)
        [first] = [own.first for own in group.trainings if ticket in own.epochs]
        return single(ticket, self.trainer.plan(self.definition.space.complete(params)), first)

    def _all_groups(self, last: Mapping[int, FrozenTrial]) -> Sequence[Group]:
        total = self.storage.total
        if self._groups[0] != total:
            candidates = {i: given_params(last[i]) for i in range(total) if i in last}
            self._groups = (total, groups_of(candidates, self.definition, self.trainer))
        return self._groups[1]

    def _params(self, trial: FrozenTrial) -> Writes:
        """What Optuna writes when the ticket's parameters are suggested."""
        asked = FixedTrial(given_params(trial))
        self.definition.space.suggest(cast("Trial", asked))
        return Writes(
            params={
                name: (kind.to_internal_repr(asked.params[name]), kind)
                for name, kind in asked.distributions.items()
            }
        )
