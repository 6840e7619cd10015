"""Running a search from the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Union

import click

from tuner.cli.opening import storage_at
from tuner.cli.output import current_format, fit_to_tell, tell
from tuner.cli.run_flags import RunFlags, WorkerFlags
from tuner.cli.watchdog import Watchdog
from tuner.errors import StorageError
from tuner.progress import ProgressMode, make_progress
from tuner.text import counted

if TYPE_CHECKING:
    from tuner.cli.output import OutputFormat
    from tuner.progress.state import SearchState
    from tuner.search.prepare import PreparedStudy
    from tuner.search.tickets import TicketCounts
    from tuner.workers import Display, SearchEnd, TimeLimit

#: A study of which nothing is left to be done, or what makes or finds it while workers start.
Found = Union["PreparedStudy", Callable[[], "PreparedStudy"]]
#: Sets the seconds of the limit, and looks whether anything has to be started.
Find = Callable[["TimeLimit"], Found]


@dataclass
class Seen:
    """What this process has seen of its search; kept up to date while it runs.

    Attributes:
        state: None until the study is prepared.
        before: the study's tickets then.
        printed: whether its result is on stdout.
    """

    state: SearchState | None = None
    before: TicketCounts | None = None
    printed: bool = False

    def counts(self) -> dict[str, int]:
        """The trials that ended here, by state."""
        return {state: getattr(self.state, state, 0) for state in ("complete", "pruned", "failed")}


class FinalReport(Protocol):
    """What is printed at the end of a search; each method returns the exit code.

    `nested`: of a search that also goes on in the outer folds of a nested study.
    """

    nested: bool

    def end(self, seen: Seen, ended: SearchEnd) -> int:
        """Of one that ended. Sets `seen.printed` right before it prints its result."""

    def again(self, name: str) -> str:
        """The command that goes on with study `name`."""

    def late(self, seen: Seen, form: OutputFormat) -> int:
        """Of one that hangs when its time is up, from what was seen, without a look at the
        storage."""


def run(
    flags: RunFlags,
    find: Find,
    report: FinalReport,
    place: WorkerFlags,
    *,
    trials: int | None = None,
    trust_code: bool = False,
) -> int:
    """Search, report, and return the exit code.

    Args:
        trials: how many there are at most, if that is known before `find`.
        trust_code: see `tuner.workers.search.run_search`.
    """
    from tuner.workers import Interrupted, SearchEnd, TimeLimit, available_cores, run_search
    from tuner.workers.pool import PoolEnd

    limit, seen, form = TimeLimit(flags.began), Seen(), current_format()

    def search(found: Callable[[], PreparedStudy], outer: int | None = None) -> SearchEnd:
        most = trials if outer is None else None
        workers, hint = place.workers, ExitStack()

        def display(study: PreparedStudy, count: int) -> Display:
            from tuner.progress.begin import begun

            state, before = begun(study, count, limit)
            if outer is None:
                seen.state, seen.before = state, before
            hint.close()
            for note in study.notes if flags.progress != "none" and outer is None else ():
                click.echo(note, err=True)
            return make_progress(flags.progress, state, tell, fit_to_tell)

        if place.ray is None:
            workers = workers or available_cores()
        if most is not None and workers is not None:
            workers = min(workers, most)
        engine = place.engine(flags.storage, workers)
        worker_limits, trial_limits = flags.limits(workers if engine is None else None)
        on_ray = f"workers on Ray ({place.ray})"
        starting = on_ray if engine is not None else counted(workers or 1, "worker")
        where = "" if outer is None else f"outer fold {outer}: "
        with hint:
            _show_hint(f"{where}loading the data, starting {starting}", flags.progress, hint)
            return run_search(
                found,
                display,
                workers=workers,
                trials=most,
                engine=engine,
                limit=limit,
                worker_limits=worker_limits,
                trial_limits=trial_limits,
                heartbeat=flags.heartbeat,
                grace=flags.grace,
                trust_code=trust_code,
                # Workers elsewhere stand in other folders.
                artifacts=None if flags.artifacts is None else os.path.abspath(flags.artifacts),
            )

    with Watchdog(limit, lambda: 0 if seen.printed else report.late(seen, form)):
        found = find(limit)
        try:
            if callable(found):
                ended = search(found)
            else:
                ended = SearchEnd(found, PoolEnd("done"), ran=False)
            if report.nested and ended.study.definition.nested:
                from tuner.export.outer_scores import search_outer

                folder = storage_at(flags.storage).artifacts_folder(flags.artifacts)
                ended = search_outer(ended, search, tell, folder, trust_code=trust_code)
        except StorageError as error:
            if seen.state is None:
                raise
            again = report.again(seen.state.name)
            raise StorageError(f"{error}; then go on by: {again}") from error
        except Interrupted as stop:
            tell("interrupted before the first trial began")
            return 128 + stop.signal
        return report.end(seen, ended)


def _show_hint(text: str, progress: ProgressMode, hint: ExitStack) -> None:
    """What start-up waits for, which takes seconds: a line of a log; on a terminal one that is
    there until `hint` is closed."""
    if progress == "none":
        return
    if progress == "plain" or not sys.stderr.isatty():
        click.echo(text, err=True)
        return
    # The line, and the one below: there stands what the terminal writes itself, as ^C.
    hint.callback(click.echo, "\r\x1b[K\x1b[A\x1b[K", nl=False, err=True)
    width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
    # Past the buffer, which a signal in the midst of writing makes to write the line twice.
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{text[: width - 1]}\n".encode())
