"""`tuner optimize` and `tuner resume`: the search itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuner.cli.flags import TRIALS, choose_option, takes
from tuner.cli.opening import storage_at
from tuner.cli.output import format_option
from tuner.cli.run_flags import RunFlags, WorkerFlags, trust_option
from tuner.cli.search_report import SearchReport
from tuner.cli.search_run import Found, run
from tuner.cli.study_flags import StudyFlags

if TYPE_CHECKING:
    from tuner.results.ranking import Choice
    from tuner.study.definition import StudyDefinition
    from tuner.workers import TimeLimit


@click.command()
@takes(study=StudyFlags, place=WorkerFlags)
@click.option("--dry-run", is_flag=True, help="Say what would run and what it costs; do nothing.")
@takes(flags=RunFlags)
@choose_option
@format_option
def optimize(
    study: StudyFlags, place: WorkerFlags, dry_run: bool, flags: RunFlags, choose: Choice
) -> int:
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
        from tuner.search.finished import find_or_prepare

        asked = study.asked(flags.timeout)
        definition = asked.definition()
        _require(choose, definition)
        limit.seconds = definition.timeout
        notes = study.notes(definition)
        return find_or_prepare(
            definition,
            name=study.name,
            storage_url=storage_at(flags.storage).url,
            trials=study.trials,
            notes=notes,
            loaded=asked.loaded,
        )

    return run(flags, find, SearchReport(flags, place, choose), place, trials=study.trials)


@click.command()
@click.argument("name")
@click.option("--trials", type=TRIALS, metavar="N", help="Trials in all, from now on.")
@takes(place=WorkerFlags, flags=RunFlags)
@choose_option
@trust_option
@format_option
def resume(
    name: str,
    trials: int | None,
    place: WorkerFlags,
    flags: RunFlags,
    choose: Choice,
    trust_code: bool,
) -> int:
    """Go on with study NAME up to its number of trials, or to another one."""

    def find(limit: TimeLimit) -> Found:
        from tuner.code import trusted_file
        from tuner.search.finished import find_or_prepare
        from tuner.study.stored import load_study, read_definition

        limit.seconds = flags.timeout
        storage = storage_at(flags.storage)
        with storage.open_read_only() as opened:
            definition = read_definition(load_study(opened, name))
        _require(choose, definition)
        folder = storage.artifacts_folder(flags.artifacts)
        trusted_file(definition.code, folder, name, trust=trust_code)
        return find_or_prepare(definition, name=name, storage_url=storage.url, trials=trials)

    return run(flags, find, SearchReport(flags, place, choose), place, trust_code=trust_code)


def _require(choose: Choice, definition: StudyDefinition) -> None:
    """Refuse, before the work, a rule that could not choose at its end."""
    from tuner.results.one_se import require_one_se

    if choose == "one-se":
        require_one_se(definition)
