"""`tuner optimize` and `tuner resume`: the search itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from tuner.cli.flags import TRIALS, takes
from tuner.cli.opening import storage_at
from tuner.cli.output import format_option
from tuner.cli.run_flags import RunFlags, WorkerFlags
from tuner.cli.search_report import SearchReport
from tuner.cli.search_run import Found, run
from tuner.cli.study_flags import StudyFlags, definition_from

if TYPE_CHECKING:
    from tuner.search.prepare import PreparedStudy
    from tuner.study.definition import StudyDefinition
    from tuner.workers import TimeLimit


@click.command()
@takes(study=StudyFlags, place=WorkerFlags)
@click.option("--dry-run", is_flag=True, help="Say what would run and what it costs; do nothing.")
@takes(flags=RunFlags)
@format_option
def optimize(study: StudyFlags, place: WorkerFlags, dry_run: bool, flags: RunFlags) -> int:
    """Search a space with cross-validation and pruning.

    The same command again goes on with its study up to the number of trials, and does nothing
    when they are done. Ctrl-C ends at the next epoch and loses nothing.

    \b
    tuner optimize --space sgd_decay
    tuner optimize --data csv:wine.csv --target quality --trials 100
    tuner optimize --study initializers --workers 4
    """
    if dry_run:
        from tuner.cli.plan import show_plan

        show_plan(study, flags.storage, workers=place.workers)
        return 0

    def find(limit: TimeLimit) -> Found:
        definition = definition_from(study, flags.timeout)
        limit.seconds = definition.timeout
        notes = study.notes(definition)
        return found(definition, study.name, storage_at(flags.storage).url, study.trials, notes)

    return run(flags, find, SearchReport(flags, place), place, trials=study.trials)


@click.command()
@click.argument("name")
@click.option("--trials", type=TRIALS, metavar="N", help="Trials in all, from now on.")
@takes(place=WorkerFlags, flags=RunFlags)
@format_option
def resume(name: str, trials: int | None, place: WorkerFlags, flags: RunFlags) -> int:
    """Go on with study NAME up to its number of trials, or to another one."""

    def find(limit: TimeLimit) -> Found:
        limit.seconds = flags.timeout
        from tuner.study.stored import load_study, read_definition

        storage = storage_at(flags.storage)
        with storage.open_read_only() as opened:
            definition = read_definition(load_study(opened, name))
        return found(definition, name, storage.url, trials)

    return run(flags, find, SearchReport(flags, place), place)


def found(
    definition: StudyDefinition,
    name: str | None,
    url: str,
    trials: int | None,
    notes: tuple[str, ...] = (),
) -> Found:
    """The study if nothing is left of it, else what prepares it; see `prepare_study`. `notes`:
    said before those on the data."""
    from tuner.search.finished import find_finished

    def prepare() -> PreparedStudy:
        from tuner.search.prepare import prepare_study

        made = prepare_study(definition, name=name, storage_url=url, trials=trials)
        return replace(made, notes=(*notes, *made.notes))

    # What `prepare` refuses without the data is refused before a line says that they are loaded.
    definition.sampler.require_packages()
    definition.total_trials(trials)

    return find_finished(definition, name=name, storage_url=url, trials=trials) or prepare
