"""`tuner worker`: one more worker for a study in shared storage."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from tuner.cli.optimize import run_options
from tuner.cli.output import emit
from tuner.cli.search_run import RunFlags, run
from tuner.cli.study_flags import read_seconds

if TYPE_CHECKING:
    from tuner.search.pool import Work


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
    progress: str,
    artifacts: str | None,
    storage: str | None,
) -> int:
    """Work on study S until its trials are done; any number of machines may.

    It needs the storage alone: the study carries its space, data, folds, objective and seed.
    Ctrl-C or SIGTERM ends at the next epoch and gives the trial back.
    """
    how = RunFlags(storage, workers, heartbeat, grace, memory, progress, artifacts)

    def prepare() -> Work:
        from tuner.search.lifecycle import PreparedStudy
        from tuner.search.pool import Work, deadline_of
        from tuner.search.storage import open_storage, storage_url
        from tuner.search.stored import load_study, read_counts, read_definition

        limit = None if timeout is None else read_seconds("--timeout", timeout)
        url = storage_url(storage)
        study = load_study(open_storage(url, create=False), name)
        definition, counts = read_definition(study), read_counts(study)
        prepared = PreparedStudy(name, url, counts.total, counts.done, definition)
        return Work(prepared, *deadline_of(how.began, limit))

    finished = run(how, prepare, trials=None, cores=False)
    if isinstance(finished, int):
        return finished
    from tuner.search.storage import display_url

    ended, state = finished.outcome.pool, finished.state
    done = {
        "complete": state.complete if state else 0,
        "pruned": state.pruned if state else 0,
        "failed": state.failed if state else 0,
    }
    url = display_url(finished.outcome.study.storage_url)
    summary = {"study": name, "storage": url, "trials": done}
    counts = ", ".join(f"{count} {kind}" for kind, count in done.items())
    emit(summary, table=lambda: f"trials of this worker: {counts}")
    if ended.reason == "signal":
        assert ended.signal is not None
        click.echo(f"ended by {signal.Signals(ended.signal).name}", err=True)
        return 128 + ended.signal
    return 0
