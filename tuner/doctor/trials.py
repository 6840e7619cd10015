"""A study's trials: has each that runs a worker, and is every ticket in the queue?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from optuna.trial import FrozenTrial, TrialState

from tuner.search.tickets import count_tickets, last_trials, unfollowed
from tuner.storage import records
from tuner.storage.backend import Beat, ticket_key
from tuner.storage.finding import Finding
from tuner.storage.owner import describe_owner, is_gone
from tuner.text import listed, time_text

_REQUEUE = "any worker of the study puts them back, and so does tuner doctor --repair"


def stale_trials(
    trials: Sequence[FrozenTrial], beats: Mapping[int, Beat], *, grace: float, now: float
) -> dict[int, str]:
    """Number to half a sentence that says why, for those of the RUNNING `trials` (with a ticket)
    whose worker has ended, or is silent and has to be watched.

    Args:
        beats: trial id to its last heartbeat, as the storage tells it.
        grace: seconds that a worker may be silent.
        now: seconds since 1970 by this machine's clock, for storages without one.
    """
    stale = {}
    for trial in trials:
        if trial.state != TrialState.RUNNING or ticket_key(trial) is None:
            continue
        owner = trial.system_attrs.get(records.WORKER)
        if owner is not None and is_gone(owner):
            stale[trial.number] = f"its {describe_owner(owner)} has ended"
            continue
        age = beats.get(trial._trial_id, Beat(None, None)).age
        if age is None and (stamp := trial.system_attrs.get(records.HEARTBEAT)) is not None:
            age = now - float(stamp)
        if age is None and trial.datetime_start is not None:
            age = now - trial.datetime_start.timestamp()
        if age is not None and age > grace:
            silence = f"no heartbeat for {time_text(age)}"
            stale[trial.number] = f"{silence} from {describe_owner(owner)}"
    return stale


def lost_tickets(trials: Sequence[FrozenTrial], total: int) -> list[int]:
    """Tickets of the first `total` that no trial has."""
    queued = last_trials(trials)
    return [ticket for ticket in range(total) if ticket not in queued]


def check_trials(
    name: str,
    trials: Sequence[FrozenTrial],
    beats: Mapping[int, Beat],
    *,
    total: int,
    retries: int,
    grace: float,
    now: float,
) -> list[Finding]:
    """What is wrong with the trials of study `name`; one `ok` if nothing is. Arguments as of
    the functions above."""
    told = {}
    if stale := stale_trials(trials, beats, grace=grace, now=now):
        of = listed([f"trial {number} ({why})" for number, why in stale.items()])
        told["stale trials"] = f"a trial that runs has a worker; {of}: {_REQUEUE}"
    if waiting := unfollowed(trials, total, retries):
        told["followers"] = (
            "a trial that failed and may be tried again is queued again; ticket "
            f"{numbered(waiting)} is not (a worker died in between): {_REQUEUE}"
        )
    if lost := lost_tickets(trials, total):
        told["tickets"] = (
            f"each of the {total} tickets is in the queue; ticket {numbered(lost)} is not: tuner "
            f"resume {name} queues it, and so does tuner doctor --repair"
        )
    if total == 0:
        told["tickets"] = (
            "a study has a number of trials; this one has none yet (its maker is at it, or "
            "died): the same tuner optimize again completes it"
        )
    if told:
        return [Finding(check, "warning", text, name) for check, text in told.items()]
    counts = count_tickets(trials, total=total, retries=retries)
    running = f", {counts.running} running" if counts.running else ""
    text = f"{counts.done} of {counts.total} tickets are done{running}"
    return [Finding("trials", "ok", text, name)]


def numbered(tickets: Iterable[int]) -> str:
    """The first of them, for messages."""
    return listed([str(ticket) for ticket in sorted(tickets)])
