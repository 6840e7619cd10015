"""Running a search from the command line."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import click

from tuner.cli.opening import reading
from tuner.cli.output import current_format
from tuner.cli.run_flags import RunFlags, WorkerFlags
from tuner.cli.watchdog import Watchdog

if TYPE_CHECKING:
    from tuner.cli.output import OutputFormat
    from tuner.cli.progress import SearchState
    from tuner.search.prepare import PreparedStudy
    from tuner.search.tickets import TicketCounts
    from tuner.workers import Display, SearchEnd, TimeLimit
    from tuner.workers.pool import PoolEnd

#: Makes or finds the study, and sets the seconds of the limit as soon as they are known.
Prepare = Callable[["TimeLimit"], "PreparedStudy"]


@dataclass
class Seen:
    """What this process has seen of its search; kept up to date while it runs.

    Attributes:
        state: None until the study is prepared.
        before: the study's tickets then.
        ended: None until the search ended.
        printed: whether its result is on stdout.
    """

    state: SearchState | None = None
    before: TicketCounts | None = None
    ended: SearchEnd | None = None
    printed: bool = False

    def counts(self) -> dict[str, int]:
        """The trials that ended here, by state."""
        return {state: getattr(self.state, state, 0) for state in ("complete", "pruned", "failed")}


class FinalReport(Protocol):
    """What is printed at the end of a search; each method returns the exit code."""

    def end(self, seen: Seen) -> int:
        """Of one that ended. Sets `seen.printed` right before it prints its result."""

    def late(self, seen: Seen, form: OutputFormat) -> int:
        """Of one that hangs when its time is up, from what was seen, without a look at the
        storage."""


def run(
    flags: RunFlags,
    prepare: Prepare,
    report: FinalReport,
    place: WorkerFlags,
    *,
    trials: int | None = None,
) -> int:
    """Search, report, and return the exit code.

    Args:
        trials: how many there are at most, if that is known before `prepare`.
    """
    from tuner.workers import Interrupted, TimeLimit

    limit, seen, form = TimeLimit(flags.began), Seen(), current_format()
    with Watchdog(limit, lambda: 0 if seen.printed else report.late(seen, form)):
        try:
            seen.ended = _search(flags, prepare, limit, seen, place, trials)
        except Interrupted as stop:
            click.echo("interrupted before the first trial began", err=True)
            return 128 + stop.signal
        return report.end(seen)


def ended_by(end: PoolEnd) -> signal.Signals | None:
    """The signal that ended a search; None: none did."""
    return signal.Signals(end.signal) if end.reason == "signal" and end.signal else None


def _search(
    flags: RunFlags,
    prepare: Prepare,
    limit: TimeLimit,
    seen: Seen,
    place: WorkerFlags,
    trials: int | None,
) -> SearchEnd:
    from tuner.storage import storage_at
    from tuner.workers import available_cores, run_search

    workers = place.workers
    if place.ray is None:
        workers = workers or available_cores()
    if trials is not None and workers is not None:
        workers = min(workers, trials)
    engine = None
    starting = f"{workers} workers"
    if place.ray is not None:
        engine = place.engine(storage_at(flags.storage).url, workers)
        starting = f"workers on Ray ({place.ray})"
    worker_limits, trial_limits = flags.limits(workers if engine is None else None)
    hint = _Hint(f"preparing the study, starting {starting}", flags.progress)

    def display(study: PreparedStudy, count: int) -> Display:
        from tuner.cli.progress import make_progress

        seen.state, seen.before = _state(study, count, limit)
        hint.erase()
        return make_progress(flags.progress, seen.state)

    with hint:
        return run_search(
            lambda: prepare(limit),
            display,
            workers=workers,
            trials=trials,
            engine=engine,
            limit=limit,
            worker_limits=worker_limits,
            trial_limits=trial_limits,
            heartbeat=flags.heartbeat,
            grace=flags.grace,
            # Workers elsewhere stand in other folders.
            artifacts=None if flags.artifacts is None else os.path.abspath(flags.artifacts),
        )


class _Hint:
    """A line on a terminal until there is something to show: start-up takes seconds."""

    def __init__(self, text: str, progress: str) -> None:
        self._shown = progress in ("auto", "rich") and sys.stderr.isatty()
        self._text = text

    def __enter__(self) -> None:
        if self._shown:
            click.echo(self._text, nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        self.erase()

    def erase(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
        self._shown = False


def _state(
    study: PreparedStudy, workers: int, limit: TimeLimit
) -> tuple[SearchState, TicketCounts]:
    from tuner.cli.progress import SearchState
    from tuner.cli.progress.state import WorkerLine
    from tuner.results import find_best
    from tuner.search.tickets import read_counts

    with reading(study.name, study.storage_url) as stored:
        best, before = find_best(stored), read_counts(stored)
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
    )
    return state, before
