"""A study's trials: has each that runs a worker, and is every ticket in the queue?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from tuner.search.heartbeat import describe_owner
from tuner.search.tickets import count_tickets, last_trials, needs_follower
from tuner.storage import records
from tuner.storage.backend import Beat, ticket_key
from tuner.storage.finding import Finding
from tuner.storage.owner import is_gone
from tuner.text import listed, time_text

_REQUEUE = "any worker of the study puts them back, and so does tuner doctor --repair"


@dataclass(frozen=True)
class Stale:
    """A RUNNING trial that seems to have no worker.

    Attributes:
        why: half a sentence.
        sure: its process was on this machine and has ended; else it has to be watched.
    """

    number: int
    why: str
    sure: bool


def stale_trials(
    trials: Sequence[FrozenTrial], beats: Mapping[int, Beat], *, grace: float, now: float
) -> list[Stale]:
    """Those of the RUNNING `trials` (with a ticket) whose worker has ended or is silent.

    Args:
        beats: trial id to its last heartbeat, as the storage tells it.
        grace: seconds that a worker may be silent.
        now: seconds since 1970 by this machine's clock, for storages without one.
    """
    stale = []
    for trial in trials:
        if trial.state != TrialState.RUNNING or ticket_key(trial) is None:
            continue
        owner = trial.system_attrs.get(records.WORKER)
        if owner is not None and is_gone(owner):
            stale.append(Stale(trial.number, f"its {describe_owner(owner)} has ended", True))
            continue
        beat = beats.get(trial._trial_id, Beat(None, None))
        age = beat.age
        if age is None and (stamp := trial.system_attrs.get(records.HEARTBEAT)) is not None:
            age = now - float(stamp)
        if age is None and trial.datetime_start is not None:
            age = now - trial.datetime_start.timestamp()
        if age is not None and age > grace:
            who = describe_owner(owner)
            why = f"no heartbeat for {time_text(age)} from {who}"
            stale.append(Stale(trial.number, why, False))
    return stale


def lost_tickets(trials: Sequence[FrozenTrial], total: int) -> list[int]:
    """Tickets of the first `total` that no trial has."""
    queued = last_trials(trials)
    return [ticket for ticket in range(total) if ticket not in queued]


def unfollowed(trials: Sequence[FrozenTrial], total: int, retries: int) -> list[int]:
    """Tickets whose last trial failed, may be tried again, and has no follower."""
    return [
        ticket
        for ticket, trial in sorted(last_trials(trials).items())
        if ticket < total and needs_follower(trial, retries)
    ]


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
    """What is wrong with the trials of study `name`; one `ok` where nothing is. Arguments as of
    the functions above."""
    found: list[Finding] = []

    def warn(check: str, text: str) -> None:
        found.append(Finding(check, "warning", text, name))

    if stale := stale_trials(trials, beats, grace=grace, now=now):
        told = listed([f"trial {own.number} ({own.why})" for own in stale])
        warn("stale trials", f"a trial that runs has a worker; {told}: {_REQUEUE}")
    if waiting := unfollowed(trials, total, retries):
        told = listed([str(ticket) for ticket in waiting])
        warn(
            "followers",
            f"a trial that failed and may be tried again is queued again; ticket {told} is not "
            f"(a worker died in between): {_REQUEUE}",
        )
    if lost := lost_tickets(trials, total):
        told = listed([str(ticket) for ticket in lost])
        warn(
            "tickets",
            f"each of the {total} tickets is in the queue; ticket {told} is not: tuner resume "
            f"{name} queues it, and so does tuner doctor --repair",
        )
    if total == 0:
        warn(
            "tickets",
            "a study has a number of trials; this one has none yet (its maker is at it, or "
            "died): the same tuner optimize again completes it",
        )
    if found:
        return found
    counts = count_tickets(trials, total=total, retries=retries)
    running = f", {counts.running} running" if counts.running else ""
    return [
        Finding("trials", "ok", f"{counts.done} of {counts.total} tickets are done{running}", name)
    ]
