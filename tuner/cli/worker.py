"""`tuner worker`: one more worker for a study in shared storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.flags import WORKERS, takes
from tuner.cli.opening import storage_at
from tuner.cli.output import OutputFormat, emit, format_option, tell
from tuner.cli.run_flags import RunFlags, WorkerFlags, trust_option
from tuner.cli.search_run import Found, Seen, run
from tuner.errors import StorageError
from tuner.text import shell_quoted

if TYPE_CHECKING:
    from tuner.search.prepare import PreparedStudy
    from tuner.workers import SearchEnd, TimeLimit


@click.command()
@click.option("--name", required=True, metavar="S", help="Name of the study.")
@click.option(
    "--workers",
    type=WORKERS,
    default=1,
    metavar="N",
    help="Worker processes, one thread each.  [default: 1]",
)
@takes(flags=RunFlags)
@trust_option
@format_option
def worker(name: str, workers: int, flags: RunFlags, trust_code: bool) -> int:
    """Work on study S until its trials are done; any number of machines may.

    It needs the storage alone: the study carries its space, data, folds, objective and seed.
    Ctrl-C or SIGTERM ends at the next epoch and gives the trial back.
    """

    def find(limit: TimeLimit) -> Found:
        limit.seconds = flags.timeout
        return prepare

    def prepare() -> PreparedStudy:
        from tuner.data.sources import source_of
        from tuner.search.points import settle_enqueued
        from tuner.search.prepare import PreparedStudy
        from tuner.search.tickets import read_counts
        from tuner.study.stored import load_study, read_definition, read_total

        storage = storage_at(flags.storage)
        backend = storage.backend(create=False)
        study = load_study(backend.storage, name)
        definition, study_id = read_definition(study), study._study_id
        source_of(definition.data.uri)  # a program alone may have the rows
        total = read_total(backend.storage, study_id)
        there = backend.trials(study_id)
        refused, _ = settle_enqueued(backend, study_id, definition, there, total)
        counts = read_counts(study)
        return PreparedStudy(
            name, storage.url, counts.total, counts.done, definition, tuple(refused)
        )

    return run(flags, find, WorkerReport(flags), WorkerFlags(workers), trust_code=trust_code)


@dataclass(frozen=True)
class WorkerReport:
    """What `tuner worker` prints at its end."""

    flags: RunFlags
    nested = False

    def end(self, seen: Seen, ended: SearchEnd) -> int:
        self._show(ended.study.name, seen)
        signal = ended.pool.signal
        if signal is None:
            return 0
        tell(f"ended by {signal.name}")
        return 128 + signal

    def again(self, name: str) -> str:
        url = self.flags.storage
        tail = "" if url is None else f" --storage {shell_quoted(str(storage_at(url)))}"
        return f"tuner worker --name {shell_quoted(name)}{tail}"

    def late(self, seen: Seen, form: OutputFormat) -> int:
        if seen.state is None:
            text = "the time was up before the study was read. Available: a longer --timeout"
            tell(f"error: {text}")
            return StorageError.exit_code
        self._show(seen.state.name, seen, form)
        tell("the time was up and the storage did not answer")
        return 0

    def _show(self, name: str, seen: Seen, form: OutputFormat | None = None) -> None:
        storage = str(storage_at(self.flags.storage))
        summary = {"study": name, "storage": storage, "trials": seen.counts()}
        seen.printed = True
        emit(summary, table=lambda: _text(summary), form=form)


def _text(summary: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {kind}" for kind, count in summary["trials"].items())
    return f"trials of this worker: {counts}"
