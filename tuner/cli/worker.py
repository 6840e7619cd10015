"""`tuner worker`: one more worker for a study in shared storage."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.optimize import run_options
from tuner.cli.output import emit, render
from tuner.cli.search_run import Report, RunFlags, Seen, run
from tuner.cli.study_flags import read_seconds
from tuner.errors import StorageError

if TYPE_CHECKING:
    from tuner.cli.output import OutputFormat
    from tuner.search.prepare import PreparedStudy
    from tuner.workers import TimeLimit


@click.command()
@click.option("--name", required=True, metavar="S", help="Name of the study.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Worker processes, one thread each.  [default: 1]",
)
@run_options
def worker(
    name: str,
    workers: int | None,
    timeout: str | None,
    heartbeat: float | None,
    grace: float | None,
    memory: str | None,
    trial_timeout: str | None,
    progress: str,
    artifacts: str | None,
    storage: str | None,
) -> int:
    """Work on study S until its trials are done; any number of machines may.

    It needs the storage alone: the study carries its space, data, folds, objective and seed.
    Ctrl-C or SIGTERM ends at the next epoch and gives the trial back.
    """
    how = RunFlags(storage, workers, heartbeat, grace, memory, trial_timeout, progress, artifacts)

    def prepare(limit: TimeLimit) -> PreparedStudy:
        limit.seconds = None if timeout is None else read_seconds("--timeout", timeout)
        from tuner.search.prepare import PreparedStudy
        from tuner.search.tickets import read_counts
        from tuner.storage import storage_at
        from tuner.study.stored import load_study, read_definition

        place = storage_at(storage)
        study = load_study(place.open(create=False), name)
        definition, counts = read_definition(study), read_counts(study)
        return PreparedStudy(name, place.url, counts.total, counts.done, definition)

    return run(how, prepare, Report(_end, _late), trials=None, cores=False)


def _end(flags: RunFlags, seen: Seen, telling: Callable[[], None]) -> int:
    outcome = seen.outcome
    assert outcome is not None
    summary = _summary(outcome.study.name, flags, seen)
    telling()
    emit(summary, table=lambda: _text(summary))
    ended = outcome.pool
    if ended.reason == "signal":
        assert ended.signal is not None
        click.echo(f"ended by {signal.Signals(ended.signal).name}", err=True)
        return 128 + ended.signal
    return 0


def _late(flags: RunFlags, seen: Seen, form: OutputFormat) -> int:
    """The time is up and something hangs."""
    if seen.state is None:
        text = "the time was up before the study was read. Available: a longer --timeout"
        click.echo(f"error: {text}", err=True)
        return StorageError.exit_code
    summary = _summary(seen.state.name, flags, seen)
    click.echo(_text(summary) if form == "table" else render(summary, form))
    click.echo("the time was up and the storage did not answer", err=True)
    return 0


def _summary(name: str, flags: RunFlags, seen: Seen) -> dict[str, Any]:
    from tuner.storage import storage_at

    state = seen.state
    done = {
        "complete": state.complete if state else 0,
        "pruned": state.pruned if state else 0,
        "failed": state.failed if state else 0,
    }
    return {"study": name, "storage": str(storage_at(flags.storage)), "trials": done}


def _text(summary: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {kind}" for kind, count in summary["trials"].items())
    return f"trials of this worker: {counts}"
