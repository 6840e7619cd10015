"""A study: can its definition be read, are the data here those it was made on, has each trial that
runs a worker, and is every ticket in the queue?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tuner.data.sources.cache import without_downloads
from tuner.errors import DataError, MissingDataError, TunerError
from tuner.search.tickets import count_tickets, last_trials, unfollowed
from tuner.storage import records
from tuner.storage.backend import Beat, ticket_key
from tuner.storage.check_result import Finding
from tuner.storage.owner import describe_owner, is_gone
from tuner.study.data import DataFacts, describe_data, other_data
from tuner.study.definition import StudyDefinition
from tuner.study.stored import definition_in, is_foreign
from tuner.text import listed, shell_quoted, time_text

Describe = Callable[[StudyDefinition], DataFacts]
_REQUEUE = "any worker of the study puts them back, and so does tuner doctor --repair"
_KEPT = (records.STUDY_DEFINITION_HASH, records.STUDY_DATA_HASH, records.STUDY_TASK)


def deleting(name: str, place: str) -> str:
    """How to delete a study, for messages; `place`: see `tuner.storage.urls.typed`."""
    return f"to delete it: tuner studies delete {shell_quoted(name)}{place}"


def check_definition(
    name: str, attributes: Mapping[str, Any], trials: int, place: str = ""
) -> tuple[Finding, StudyDefinition | None]:
    """`attributes`: the study's user attributes; `trials`: how many it has; `place`: see
    `tuner.storage.urls.typed`.

    The definition is None if it cannot be read, or if something else made the study.
    """
    say = partial(Finding, "definition", study=name)
    if is_foreign(attributes):
        maker = "something else than tuner made this"
        if trials:
            return say("ok", f"{maker} study, with {trials} trials"), None
        return say(
            "ok",
            f"{maker} empty study, or its maker died: the same tuner optimize completes it; "
            + deleting(name, place),
        ), None
    try:
        definition = definition_in(attributes, name)
    except TunerError as error:
        return say("error", f"{error}; {deleting(name, place)}"), None
    missing = [key for key in _KEPT if key not in attributes]
    if missing:
        return say(
            "warning",
            "a study holds its definition, data hash and task; this one lacks "
            f"{', '.join(missing)} (its maker died): the same tuner optimize again completes it",
        ), None
    stored = attributes[records.STUDY_DEFINITION_HASH]
    if definition.hash() != stored:
        return say(
            "error",
            f"a definition has the hash it was stored with; this one has {definition.hash()}, "
            f"stored is {stored}: somebody edited it, and tuner resume will refuse it; put the "
            "definition back, or begin another study (--name)",
        ), definition
    layout = attributes[records.STUDY_VERSION]
    return say(
        "ok", f"can be read (layout {layout} of {records.VERSION}, hash {stored})"
    ), definition


class DataCheck:
    """Loads each of the data once, however many studies are on them; downloads nothing."""

    def __init__(self, describe: Describe = describe_data) -> None:
        self._describe = describe
        self._known: dict[str, DataFacts | DataError] = {}

    def __call__(self, name: str, definition: StudyDefinition, stored: str) -> Finding:
        """`stored`: the data hash of study `name`."""
        found, uri = self._load(definition), definition.data.uri
        if isinstance(found, DataError):
            missing = isinstance(found, MissingDataError)
            why = "are not here" if missing else "cannot be"
            text = f"a worker loads the study's data; they {why}: {found}"
            return Finding("data", "warning" if missing else "error", text, name)
        if found.hash == stored:
            return Finding("data", "ok", f"{uri} here has the study's hash {stored}", name)
        return Finding(
            "data",
            "error",
            f"{other_data('it', stored, uri, found.hash)}: no worker here will take its trials; "
            "bring the former data back, or begin another study (--name)",
            name,
        )

    def _load(self, definition: StudyDefinition) -> DataFacts | DataError:
        key = f"{definition.data.model_dump_json()}{definition.folds!r}{definition.seed}"
        if key not in self._known:
            try:
                with without_downloads():
                    self._known[key] = self._describe(definition)
            except DataError as error:
                self._known[key] = error
        return self._known[key]


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
