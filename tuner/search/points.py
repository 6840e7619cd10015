"""Points that are tried first, as tickets: those of a definition, and the trials that something
else put into the study (Optuna's `enqueue_trial`).

A ticket that has not begun and of which nothing is known makes room for a point; where none is
left, the study has one more. Of a sampler whose candidates are known before they run, all tickets
are known: a point is a candidate already, or one more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tuner.errors import SpaceError
from tuner.search.tickets import (
    fail,
    given_params,
    is_free,
    last_trials,
    needs_follower,
    new_ticket,
    requeue,
)
from tuner.spaces.points import default_point, fitted_point
from tuner.storage import records
from tuner.storage.backend import Backend, LostTrialError, Writes, ticket_key
from tuner.storage.owner import new_owner
from tuner.study.definition import StudyDefinition
from tuner.study.sampler import ticket_seed


def is_enqueued(trial: FrozenTrial) -> bool:
    """Whether a trial waits and is nobody's ticket."""
    return trial.state == TrialState.WAITING and ticket_key(trial) is None


def with_defaults(definition: StudyDefinition, total: int) -> StudyDefinition:
    """With the point of its space's defaults behind those that are named, if `total` trials leave
    room for it. Candidates that are known before they run stay what they are."""
    point, named = default_point(definition.space), definition.try_first
    if not point or definition.sampler.ready or point in named or len(named) >= total:
        return definition
    return definition.model_copy(update={"try_first": (*named, point)})


def missing_points(
    definition: StudyDefinition, trials: Sequence[FrozenTrial], total: int
) -> list[dict[str, Any]]:
    """The parameters of the definition's points that none of the first `total` tickets was queued
    with, each as often as it is named. `trials`: all of the study."""
    if not definition.try_first:
        return []
    held, space = _held(trials, total), definition.space
    missing = []
    for point in definition.sampler.firsts(space, definition.try_first, seed=definition.seed):
        if held[_key(point)]:
            held[_key(point)] -= 1
        else:
            missing.append(point)
    return missing


def _held(trials: Sequence[FrozenTrial], total: int) -> Counter[str]:
    """With what parameters the first `total` tickets were queued."""
    return Counter(
        _key(trial.system_attrs[records.FIXED_PARAMS])
        for ticket, trial in last_trials(trials).items()
        if ticket < total and records.FIXED_PARAMS in trial.system_attrs
    )


def _key(point: Mapping[str, Any]) -> str:
    return json.dumps(point, sort_keys=True)


def take_places(backend: Backend, study_id: int, definition: StudyDefinition, total: int) -> int:
    """Let the definition's points that have no ticket take the place of those that are free among
    the first `total`; how many found none. Whoever else does it meanwhile takes none twice."""
    owner, retries = new_owner(), definition.retries
    while True:
        trials = backend.trials(study_id)
        missing = missing_points(definition, trials, total)
        last = sorted(last_trials(trials).items())
        free = [trial for ticket, trial in last if ticket < total and is_free(trial)]
        if not missing or not free or definition.sampler.ready:
            return len(missing)
        # One step: from then on everybody sees that the point has a ticket.
        point = {records.FIXED_PARAMS: missing[0], records.FIRST: True}
        trial_id = free[0]._trial_id
        if backend.claim({trial_id: Writes(system_attrs=point)}, owner):
            # Workers that run would not look again at a trial that waits as before.
            _end(backend, trial_id, owner, "a named point has taken its place", records.HANDED_BACK)
            requeue(backend, study_id, backend.trials(study_id), total=total, retries=retries)


def settle_enqueued(
    backend: Backend,
    study_id: int,
    definition: StudyDefinition,
    trials: Sequence[FrozenTrial],
    total: int,
) -> tuple[list[str], int]:
    """See to it that the enqueued ones among `trials` (all of the study) can run.

    One that does not fit the space fails with the cause. For the others tickets are made, if they
    have no place among the first `total`; workers begin them (see `AskedTrials`).

    Returns:
        A line for each that fails, and the study's total then.
    """
    owner, lines, room = new_owner(), [], 0
    space, sampler = definition.space, definition.sampler
    for trial in filter(is_enqueued, trials):
        trial_id = trial._trial_id
        try:
            point = fitted_point(space, given_params(trial))
        except SpaceError as error:
            if backend.claim({trial_id: Writes()}, owner):
                _end(backend, trial_id, owner, str(error), records.FINAL)
                lines.append(f"trial {trial.number}, which was enqueued, is not run: {error}")
            continue
        if not sampler.ready:
            room += 1
            continue
        seed = ticket_seed(definition.seed, trial.number)
        for candidate in sampler.firsts(space, [point], seed=seed):
            while not _held(trials, total)[_key(candidate)]:
                backend.add_trials(study_id, [new_ticket(total, candidate, first=True)])
                total = backend.set_total(study_id, total + 1, lower=False)
                trials = backend.trials(study_id)
        if backend.claim({trial_id: Writes()}, owner):
            _end(backend, trial_id, owner, "another trial has its parameters", records.DUPLICATE)
    retries = definition.retries
    spare = sum(_is_place(trial, retries) for i, trial in last_trials(trials).items() if i < total)
    if room > spare:
        more = total + room - spare
        backend.add_trials(study_id, [new_ticket(ticket) for ticket in range(total, more)])
        total = backend.set_total(study_id, more, lower=False)
    return lines, total


def _is_place(trial: FrozenTrial, retries: int) -> bool:
    """Whether an enqueued trial has, or may be just taking, the place of a ticket's last trial."""
    taking = trial.state == TrialState.RUNNING or needs_follower(trial, retries)
    return is_free(trial) or (taking and not given_params(trial))


def _end(backend: Backend, trial_id: int, owner: str, cause: str, settled: str) -> None:
    with suppress(LostTrialError):
        fail(backend, trial_id, owner, cause, settled)
