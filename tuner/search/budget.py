"""Queueing the tickets that a study lacks."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from tuner.search.points import missing_points, take_places
from tuner.search.tickets import given_params, is_first, last_trials, new_ticket
from tuner.storage.backend import Backend, ticket_key
from tuner.study.definition import StudyDefinition
from tuner.study.stored import read_total


def queue_missing(
    backend: Backend,
    study_id: int,
    definition: StudyDefinition,
    there: Sequence[FrozenTrial],
    total: int,
    asked: int | None,
) -> int:
    """Queue what is missing to `total`, or to what was asked for or has begun before, and to what
    the points that are tried first need; the total then. `there`: the study's trials."""
    if asked is None:
        total = max(total, read_total(backend.storage, study_id))
    else:  # what has begun, or was named, is not taken back
        kept = [t for t in there if t.state.name != "WAITING" or is_first(t)]
        total = max([total, *(key[0] + 1 for t in kept if (key := ticket_key(t)))])
    while True:
        if new := missing_tickets(definition, there, total):
            backend.add_trials(study_id, new)
        if not definition.try_first or not (
            left := take_places(backend, study_id, definition, total)
        ):
            break
        total, there = total + left, backend.trials(study_id)
    # The total last: whoever reads it finds its tickets.
    return backend.set_total(study_id, total, lower=asked is not None)


def missing_tickets(
    definition: StudyDefinition, there: Sequence[FrozenTrial], total: int
) -> list[FrozenTrial]:
    """The trials to be queued so that each of the first `total` tickets has one; among them may
    be some that `Backend.add_trials` finds there already. `there`: all trials of the study."""
    queued = last_trials(there)
    missing = [ticket for ticket in range(total) if ticket not in queued]
    if not missing:
        return []
    points = missing_points(definition, there, total)
    if not definition.sampler.ready:
        ahead = [new_ticket(i, own, first=True) for i, own in zip(missing, points, strict=False)]
        return ahead + [new_ticket(ticket) for ticket in missing[len(ahead) :]]
    known = [given_params(queued[ticket]) for ticket in range(min(missing))]
    ready = definition.candidates(total, known)
    return [
        new_ticket(ticket, candidate, first=candidate in points)
        for ticket, candidate in zip(range(len(known), total), ready, strict=True)
    ]
