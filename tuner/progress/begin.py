"""What a display begins with: a study as its storage has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.planning.metrics import metric_direction
from tuner.progress.state import SearchState, WorkerLine
from tuner.results import find_best, front
from tuner.search.tickets import TicketCounts, read_counts
from tuner.storage import storage_at
from tuner.study.opening import reading

if TYPE_CHECKING:
    from tuner.search.prepare import PreparedStudy
    from tuner.workers.time_limit import TimeLimit


def begun(study: PreparedStudy, workers: int, limit: TimeLimit) -> tuple[SearchState, TicketCounts]:
    """A search of so many workers before its first event, and the tickets then."""
    with reading(study.name, storage_at(study.storage_url)) as stored:
        best, before = find_best(stored), read_counts(stored)
        several = len(stored.directions) > 1
        members = {own.number: tuple(own.values) for own in front(stored)} if several else {}
    state = SearchState(
        name=study.name,
        metric=study.definition.metric,
        direction=study.definition.direction,
        total=study.total,
        done=study.done,
        best=best,
        deadline=limit.deadline,
        started=limit.began,
        workers={number: WorkerLine() for number in range(workers)},
        others={name: metric_direction(name) for name in study.definition.objective.others},
        front=members,
    )
    return state, before
