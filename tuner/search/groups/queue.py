"""A worker's way to whole groups of tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from optuna.trial import FixedTrial, FrozenTrial, Trial, TrialState

from tuner.search.groups.rule import Group, Training, groups_of
from tuner.search.outcome import Outcome
from tuner.search.ticket_queue import TicketQueue
from tuner.search.tickets import give_back, is_alone, last_trials
from tuner.search.trainer import TrainerLike
from tuner.storage import records
from tuner.storage.backend import LostTrialError, Writes, ticket_key


@dataclass(frozen=True)
class Claim:
    """A group, and those of its tickets that are this worker's to tell.

    Attributes:
        trials: ticket to the trial that was popped.
    """

    group: Group
    trials: Mapping[int, FrozenTrial]


class GroupQueue(TicketQueue):
    """Claims all waiting tickets of a group at once.

    A group one of whose tickets runs is its worker's; whoever finds another one's tickets waiting
    (they were handed back, or tried again) trains the whole group once more and tells those. Two
    workers that reach for the same group reach for its lowest waiting ticket first, and who misses
    that leaves the group alone. Nothing rests on it: a ticket is one worker's, as always.

    A group in which a trial was killed for breaking a limit is not trained as a whole again: its
    tickets are claimed one by one, each in a stack of its own.
    """

    _groups: tuple[int, list[Group]] | None = None
    _held: tuple[int, ...] = ()  # trial ids, ascending; read by the thread that beats

    def claim(self, trainer: TrainerLike) -> Claim | None:
        """The next group with waiting tickets, and enter the room to train it; None where there
        is none now, or nobody may train. Mends what dead workers left behind. Raises as `ask`."""
        try:
            return self._claim(trainer)
        except KeyError:
            self._require_study()
            raise

    def _beat(self, trial_id: int) -> None:
        """For every claimed trial."""
        for held in self._held:
            with suppress(LostTrialError):  # told just now, or another's: its telling finds out
                self._backend.beat(held, self._owner)

    def end(self, trial: FrozenTrial, outcome: Outcome, reports: Sequence[float]) -> float | None:
        """End a claimed trial, reports and all in one write; the value it is known by.

        Raises `LostTrialError` where another worker has it by now: the result is void.
        """
        self._held = tuple(held for held in self._held if held != trial._trial_id)
        user, system = outcome.attributes()
        writes = Writes(user_attrs=user, system_attrs=system, reports=dict(enumerate(reports)))
        values = None if outcome.value is None else [outcome.value]
        self._retry(
            lambda: self._backend.write(
                trial._trial_id, writes, self._owner, state=outcome.state, values=values
            )
        )
        return outcome.value

    def hand_back(self) -> None:
        """Let the claimed tickets that were not told wait again, the lowest last: whoever sees it
        wait sees them all. Raises `StorageError`."""
        held, self._held = self._held, ()
        for trial_id in reversed(held):
            with suppress(LostTrialError):
                self._retry(partial(give_back, self._backend, trial_id, self._owner))
        self.forget()
        if held:
            self._requeue()

    def _claim(self, trainer: TrainerLike) -> Claim | None:
        self._mend()
        trials = self._storage.snapshot()
        last = last_trials(trials)
        self._void_duplicates(trials, last)
        groups = self._all_groups(last, trainer)
        claim = self._next(groups, last, trainer, alone=False)
        # Those that are run alone come last: nobody has to wait for them to end.
        if claim is None and not self._storage.waits(alone=False):
            claim = self._next(groups, last, trainer, alone=True)
        if claim is None:
            self.room.leave()
        return claim

    def _next(
        self,
        groups: Sequence[Group],
        last: Mapping[int, FrozenTrial],
        trainer: TrainerLike,
        *,
        alone: bool,
    ) -> Claim | None:
        for group in groups:
            own = {ticket: last[ticket] for ticket in group.tickets}
            if any(trial.state == TrialState.RUNNING for trial in own.values()):
                continue
            waiting = {
                ticket: trial
                for ticket, trial in own.items()
                if trial.state == TrialState.WAITING and is_alone(trial) == alone
            }
            if not waiting:
                continue
            if not self.room.enter(alone=alone):
                return None
            if any(_is_suspect(trial) for trial in own.values()):
                ticket, trial = min(waiting.items())
                group, waiting = self._single(group, ticket, trial, trainer), {ticket: trial}
            wanted = {trial._trial_id: self._params(trial) for trial in waiting.values()}
            claimed = self._retry(partial(self._backend.claim, wanted, self._owner))
            if claimed:
                self._held = tuple(claimed)
                mine = {i: trial for i, trial in waiting.items() if trial._trial_id in claimed}
                return Claim(group, mine)
        return None

    def _single(self, group: Group, ticket: int, trial: FrozenTrial, trainer: TrainerLike) -> Group:
        """The ticket on its own, seeded as in its group."""
        refused = group.refused or self.why_avoided(_fixed(trial))
        if refused is not None:
            return Group((Training(None, ticket, {ticket: 0}),), refused)
        [training] = [own for own in group.trainings if ticket in own.epochs]
        plan = trainer.plan(self._definition.space.complete(_fixed(trial)))
        return Group((Training(plan, training.first, {ticket: plan.epochs}),))

    def _all_groups(self, last: Mapping[int, FrozenTrial], trainer: TrainerLike) -> list[Group]:
        total = self._storage.total
        if self._groups is None or self._groups[0] != total:
            candidates = {i: _fixed(last[i]) for i in range(total) if i in last}
            self._groups = (total, groups_of(candidates, self._definition, trainer))
        return self._groups[1]

    def _params(self, trial: FrozenTrial) -> Writes:
        """What Optuna writes when the ticket's parameters are suggested."""
        asked = FixedTrial(_fixed(trial))
        self._definition.space.suggest(cast("Trial", asked))
        return Writes(
            params={
                name: (kind.to_internal_repr(asked.params[name]), kind)
                for name, kind in asked.distributions.items()
            }
        )

    def _void_duplicates(
        self, trials: Sequence[FrozenTrial], last: Mapping[int, FrozenTrial]
    ) -> None:
        """End waiting trials of a ticket's turn that another trial stands for."""
        if self._backend.queues_once:
            return
        for trial in trials:
            key = ticket_key(trial)
            if trial.state != TrialState.WAITING or key is None or last[key[0]] is trial:
                continue
            trial_id = trial._trial_id
            if self._retry(partial(self._backend.pop, trial_id, self._owner)):
                void = Writes(
                    user_attrs={records.CAUSE: records.DUPLICATE},
                    system_attrs={records.SETTLED: records.DUPLICATE},
                )
                end = partial(self._backend.write, state=TrialState.FAIL)
                self._retry(partial(end, trial_id, void, self._owner))


def _is_suspect(trial: FrozenTrial) -> bool:
    """Whether the ticket's worker was killed for breaking a limit, now or before."""
    settled = trial.system_attrs.get(records.SETTLED)
    return is_alone(trial) or settled in (records.KILLED, records.AVOIDED)


def _fixed(trial: FrozenTrial) -> dict[str, Any]:
    """A ticket's parameters as they were queued."""
    return dict(trial.system_attrs.get("fixed_params", trial.params))
