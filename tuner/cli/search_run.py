"""Running a search from the command line, and what is said at its end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import click

from tuner.cli.output import current_format
from tuner.cli.results import open_study, reading
from tuner.cli.run_limits import worker_limits
from tuner.cli.watchdog import Watchdog

if TYPE_CHECKING:
    from tuner.cli.output import OutputFormat
    from tuner.cli.progress import ProgressMode, SearchState
    from tuner.cli.ray_flags import RayFlags
    from tuner.search.prepare import PreparedStudy
    from tuner.search.tickets import TicketCounts
    from tuner.workers import Display, SearchEnd, TimeLimit
    from tuner.workers.ray import RayEngine


@dataclass(frozen=True)
class RunFlags:
    """How to run, whatever the study: see `tuner optimize --help`."""

    storage: str | None
    workers: int | None
    heartbeat: float | None
    grace: float | None
    memory: str | None
    trial_timeout: str | None
    progress: str
    artifacts: str | None
    ray: RayFlags | None = None
    began: float = field(default_factory=time.time)


@dataclass
class Seen:
    """What this process has seen of its search; kept up to date while it runs.

    Attributes:
        state: None until the study is prepared.
        before: where its tickets stood then.
        outcome: None until the search ended.
    """

    state: SearchState | None = None
    before: TicketCounts | None = None
    outcome: SearchEnd | None = None


@dataclass(frozen=True)
class Report:
    """What is said at the end of a search; each prints, and returns the exit code.

    Attributes:
        end: of one that ended. Calls what it is given right before it prints its result.
        late: of one that hangs when its time is up: what this process has seen, without a look
            at the storage, in the form that it is given.
    """

    end: Callable[[RunFlags, Seen, Callable[[], None]], int]
    late: Callable[[RunFlags, Seen, OutputFormat], int]


def run(
    flags: RunFlags,
    prepare: Callable[[TimeLimit], PreparedStudy],
    report: Report,
    *,
    trials: int | None,
    cores: bool = True,
) -> int:
    """Search, report, and return the exit code.

    Args:
        prepare: makes or finds the study, and sets the seconds of the limit as soon as they are
            known.
        trials: how many there are at most, where that is known before `prepare`.
        cores: without `--workers` use all cores, else one.
    """
    from tuner.workers import Interrupted, TimeLimit

    limit, seen, form = TimeLimit(flags.began), Seen(), current_format()
    with Watchdog(limit, lambda: report.late(flags, seen, form)) as dog:
        try:
            _search(flags, prepare, limit, seen, trials=trials, cores=cores)
        except Interrupted as stop:
            click.echo("interrupted before the first trial began", err=True)
            return 128 + stop.signal

        def telling() -> None:
            dog.told = True

        return report.end(flags, seen, telling)


def _search(
    flags: RunFlags,
    prepare: Callable[[TimeLimit], PreparedStudy],
    limit: TimeLimit,
    seen: Seen,
    *,
    trials: int | None,
    cores: bool,
) -> None:
    from tuner.storage import storage_at
    from tuner.workers import available_cores, run_search

    engine: RayEngine | None = None
    workers = flags.workers
    if flags.ray is None:
        workers = workers or (available_cores() if cores else 1)
    if trials is not None and workers is not None:
        workers = min(workers, trials)
    here = workers if flags.ray is None else None
    limits, caps = worker_limits(flags.memory, flags.trial_timeout, workers=here)
    beginning = f"preparing the study, starting {workers} workers"
    if flags.ray is not None:
        engine = flags.ray.engine(storage_at(flags.storage).url, workers)
        beginning = f"preparing the study, starting workers on Ray ({flags.ray.address})"
    hint = _Hint(beginning, flags.progress)

    def display(study: PreparedStudy, count: int) -> Display:
        from tuner.cli.progress import make_progress

        state, seen.before = _state(study, count, limit)
        seen.state = state
        hint.erase()
        return make_progress(cast("ProgressMode", flags.progress), state)

    with hint:
        seen.outcome = run_search(
            lambda: prepare(limit),
            display,
            workers=workers,
            trials=trials,
            engine=engine,
            limit=limit,
            worker_limits=limits,
            trial_limits=caps,
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

    with reading(study.storage_url):
        stored = open_study(study.name, study.storage_url)
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
