"""Tickets: the budget of a study as trials that wait in the storage.

A ticket is tried by one trial at a time. A trial that fails, or whose worker dies, is followed by
another trial of the same ticket, one turn later, until one succeeds or the retries are used up.
Whether a trial still needs its follower is read off the trials themselves, so whoever dies
between failing a trial and queueing its follower loses nothing: the next to look queues it.

Two processes may queue the same follower at a time. Databases let only one (see
`RdbBackend.add_trials`); elsewhere the trial with the lowest number of a ticket's turn counts,
and whoever pops another one voids it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from tuner.storage import records
from tuner.storage.backend import Backend, Writes, ticket_key
from tuner.study.stored import read_total, stored_field, stored_fields

if TYPE_CHECKING:
    from optuna.study import Study


@dataclass(frozen=True)
class TicketCounts:
    """Tickets of a study by the state of their last trial. `waiting` includes those whose
    follower is still to be queued."""

    total: int
    waiting: int = 0
    running: int = 0
    complete: int = 0
    pruned: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        return self.complete + self.pruned + self.failed


def new_ticket(
    ticket: int, fixed: Mapping[str, Any] | None = None, *, first: bool = False
) -> FrozenTrial:
    """A trial that waits; `fixed` are its parameters, or some of them, if they are known before it
    is asked for (varying ones only); `first`: it is begun before others."""
    known = {} if fixed is None else {records.FIXED_PARAMS: dict(fixed)}
    return create_trial(
        state=TrialState.WAITING,
        user_attrs={records.TICKET: ticket, records.ATTEMPT: 0},
        system_attrs=known | ({records.FIRST: True} if first else {}),
    )


def follower(trial: FrozenTrial) -> FrozenTrial:
    """The trial that tries the ticket of a failed one again, with the same parameters."""
    handed_back = trial.system_attrs.get(records.SETTLED) == records.HANDED_BACK
    kept = {name: trial.system_attrs[name] for name in records.KEPT if name in trial.system_attrs}
    if trial.system_attrs.get(records.SETTLED) == records.KILLED:
        kept[records.ALONE] = True
    return create_trial(
        state=TrialState.WAITING,
        params=dict(trial.params),
        distributions=dict(trial.distributions),
        user_attrs={
            records.TICKET: trial.user_attrs[records.TICKET],
            records.ATTEMPT: attempt(trial) + (0 if handed_back else 1),
        },
        system_attrs={records.TURN: turn_of(trial) + 1, **kept},
    )


def turn_of(trial: FrozenTrial) -> int:
    """How many trials of its ticket came before this one."""
    return int(trial.system_attrs.get(records.TURN, 0))


def attempt(trial: FrozenTrial) -> int:
    """How many failed attempts came before this trial."""
    return records.recorded(trial, records.ATTEMPT) or 0


def is_void(trial: FrozenTrial) -> bool:
    """Whether another trial stands in this one's place."""
    return trial.system_attrs.get(records.SETTLED) == records.DUPLICATE


def is_first(trial: FrozenTrial) -> bool:
    """Whether somebody named the trial's parameters, or some of them."""
    return bool(trial.system_attrs.get(records.FIRST))


def is_free(trial: FrozenTrial) -> bool:
    """Whether a ticket's trial waits and nothing is known of its parameters yet."""
    known = trial.params or is_alone(trial) or records.FIXED_PARAMS in trial.system_attrs
    return trial.state == TrialState.WAITING and not known


def last_trials(trials: Sequence[FrozenTrial]) -> dict[int, FrozenTrial]:
    """Ticket to the trial that counts for it: of its last turn, the one with the lowest number."""
    last: dict[int, tuple[int, FrozenTrial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        key = ticket_key(trial)
        if key is None or is_void(trial):
            continue
        ticket, turn = key
        if ticket not in last or turn > last[ticket][0]:
            last[ticket] = turn, trial
    return {ticket: trial for ticket, (_, trial) in last.items()}


def duplicates(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that wait for a ticket that another trial stands for."""
    last = last_trials(trials)
    return [
        trial
        for trial in trials
        if trial.state == TrialState.WAITING
        and (key := ticket_key(trial)) is not None
        and last[key[0]] is not trial
    ]


def needs_follower(trial: FrozenTrial, retries: int) -> bool:
    """Whether the last trial of a ticket has to be tried again."""
    if trial.state != TrialState.FAIL:
        return False
    settled = trial.system_attrs.get(records.SETTLED)
    if settled in (records.HANDED_BACK, records.KILLED):
        return True
    final = settled in (records.FINAL, records.AVOIDED)
    return not final and attempt(trial) < retries


def is_alone(trial: FrozenTrial) -> bool:
    """Whether the trial is run while no other worker of the study trains on its machine."""
    return bool(trial.system_attrs.get(records.ALONE))


def was_killed(trial: FrozenTrial) -> bool:
    """Whether the ticket's worker was killed for breaking a limit, now or before."""
    settled = trial.system_attrs.get(records.SETTLED)
    return is_alone(trial) or settled in (records.KILLED, records.AVOIDED)


def given_params(trial: FrozenTrial) -> dict[str, Any]:
    """A ticket's parameters (varying ones): those it was queued with, and those that its sampler
    has chosen."""
    return {**trial.system_attrs.get(records.FIXED_PARAMS, {}), **trial.params}


def why_avoided(params: Mapping[str, Any], trials: Sequence[FrozenTrial]) -> str | None:
    """Why no trial with these parameters (varying ones) is run; None if it is."""
    for trial in trials:
        avoided = trial.system_attrs.get(records.SETTLED) == records.AVOIDED
        if avoided and given_params(trial) == dict(params):
            cause = trial.user_attrs.get(records.CAUSE)
            return f"not run: trial {trial.number} had the same parameters, and {cause}"
    return None


def settled_tickets(trials: Sequence[FrozenTrial], retries: int) -> set[int]:
    """The tickets that have ended and are not tried again."""
    return {
        ticket
        for ticket, trial in last_trials(trials).items()
        if trial.state.is_finished() and not needs_follower(trial, retries)
    }


def unfollowed(trials: Sequence[FrozenTrial], total: int, retries: int) -> dict[int, FrozenTrial]:
    """Ticket to its last trial, for those of the first `total` that have to be tried again."""
    if not any(needs_follower(trial, retries) for trial in trials):
        return {}  # as nearly always, and workers look before every trial
    return {
        ticket: trial
        for ticket, trial in last_trials(trials).items()
        if ticket < total and needs_follower(trial, retries)
    }


def requeue(
    backend: Backend, study_id: int, trials: Sequence[FrozenTrial], *, total: int, retries: int
) -> int:
    """Queue a follower for every failed ticket that needs one; how many."""
    followers = [follower(trial) for trial in unfollowed(trials, total, retries).values()]
    return backend.add_trials(study_id, followers) if followers else 0


def give_back(
    backend: Backend, trial_id: int, owner: str, cause: str = records.HANDED_BACK
) -> None:
    """Let the ticket of `owner`'s running trial wait again; if the storage cannot do that in
    place, `requeue` has to be called next. Raises `LostTrialError`."""
    if backend.atomic:
        backend.hand_back(trial_id, owner)
    else:
        fail(backend, trial_id, owner, cause, records.HANDED_BACK)


def fail(
    backend: Backend, trial_id: int, owner: str | None, cause: str, settled: str | None = None
) -> None:
    """End `owner`'s running trial as failed; `requeue` has to be called next. Raises
    `LostTrialError`.

    Args:
        settled: what that means for its ticket (`records.SETTLED`); None: an attempt.
    """
    writes = Writes(user_attrs={records.CAUSE: cause}, state=TrialState.FAIL)
    if settled is not None:
        writes.system_attrs[records.SETTLED] = settled
    backend.write(trial_id, writes, owner)


def count_tickets(trials: Sequence[FrozenTrial], *, total: int, retries: int) -> TicketCounts:
    """The states of the first `total` tickets."""
    last = last_trials(trials)
    counts: Counter[str] = Counter(
        records.state_of(last[ticket])
        if ticket in last and not needs_follower(last[ticket], retries)
        else "waiting"
        for ticket in range(total)
    )
    return TicketCounts(total, **counts)


def read_counts(study: Study) -> TicketCounts:
    """The study's tickets by state. Raises as `tuner.study.stored.stored_fields`."""
    name = study.study_name
    retries = stored_field(stored_fields(study.user_attrs, name), "retries", int, name)
    total = read_total(study._storage, study._study_id)
    return count_tickets(study.get_trials(deepcopy=False), total=total, retries=retries)
