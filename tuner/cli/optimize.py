"""`tuner optimize` and `tuner resume`: the search itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tuner.cli.output import format_option
from tuner.cli.ray_flags import ray_options, read_ray
from tuner.cli.results import artifacts_option, storage_option
from tuner.cli.search_report import REPORT
from tuner.cli.search_run import RunFlags, run
from tuner.cli.study_flags import StudyFlags, definition_from, read_seconds
from tuner.cli.study_options import study_options

if TYPE_CHECKING:
    from tuner.search.prepare import PreparedStudy
    from tuner.workers import TimeLimit

F = TypeVar("F", bound=Callable[..., Any])

# Written out, because the module that knows them takes half a second to import; a test compares.
PROGRESS = ("auto", "rich", "plain", "none")


def run_options(command: F) -> F:
    """The options of every command that runs workers."""
    for option in reversed(
        (
            click.option(
                "--timeout",
                metavar="TIME",
                help="End after this time, such as 90s, 10m or 1h30m; a number alone is seconds. "
                "The command ends within 5 % more, or 5 s.",
            ),
            click.option(
                "--heartbeat",
                type=click.FloatRange(min=0, min_open=True),
                metavar="S",
                help="Seconds between the signs of life that a trial leaves in the storage.  "
                "[default: 10]",
            ),
            click.option(
                "--grace",
                type=click.FloatRange(min=0, min_open=True),
                metavar="S",
                help="Seconds without one after which another worker takes a trial over.  "
                "[default: 60]",
            ),
            click.option(
                "--memory",
                metavar="SIZE",
                help="End a trial whose worker process holds more, such as 4g; it is tried once "
                "more, alone.  [default: its share of 80 % of the machine's]",
            ),
            click.option(
                "--trial-timeout",
                metavar="TIME",
                help="End a trial that takes longer, such as 30m; it is tried once more, alone.",
            ),
            click.option(
                "--progress",
                type=click.Choice(PROGRESS),
                default="auto",
                show_default=True,
                help="How progress is shown on stderr: live on a terminal, else line by line.",
            ),
            artifacts_option,
            storage_option,
            format_option,
        )
    ):
        command = option(command)
    return command


workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Worker processes, one thread each.  [default: the cores]",
)


@click.command()
@study_options
@workers_option
@ray_options
@click.option("--dry-run", is_flag=True, help="Say what would run and what it costs; do nothing.")
@run_options
def optimize(
    flags: StudyFlags,
    name: str | None,
    trials: int | None,
    workers: int | None,
    ray: str | None,
    ray_cpus: float | None,
    ray_gpus: float | None,
    dry_run: bool,
    heartbeat: float | None,
    grace: float | None,
    memory: str | None,
    trial_timeout: str | None,
    progress: str,
    artifacts: str | None,
    storage: str | None,
) -> int:
    """Search a space with cross-validation and pruning.

    The same command again goes on with its study up to the number of trials, and does nothing
    when they are done. Ctrl-C ends at the next epoch and loses nothing.

    \b
    tuner optimize --space sgd_decay
    tuner optimize --space sgd_decay --data csv:wine.csv --target quality --trials 100
    tuner optimize --study initializers --workers 4
    """
    if dry_run:
        from tuner.cli.plan import show_plan

        show_plan(
            definition_from(flags), name=name, storage=storage, trials=trials, workers=workers
        )
        return 0
    how = RunFlags(
        storage,
        workers,
        heartbeat,
        grace,
        memory,
        trial_timeout,
        progress,
        artifacts,
        read_ray(ray, ray_cpus, ray_gpus),
    )

    def prepare(limit: TimeLimit) -> PreparedStudy:
        definition = definition_from(flags)
        limit.seconds = definition.timeout
        from tuner.search.prepare import prepare_study
        from tuner.storage import storage_at

        url = storage_at(storage).url
        return prepare_study(definition, name=name, storage_url=url, trials=trials)

    return run(how, prepare, REPORT, trials=trials)


@click.command()
@click.argument("name")
@click.option(
    "--trials", type=click.IntRange(min=1), metavar="N", help="Trials in all, from now on."
)
@workers_option
@ray_options
@run_options
def resume(
    name: str,
    trials: int | None,
    workers: int | None,
    ray: str | None,
    ray_cpus: float | None,
    ray_gpus: float | None,
    timeout: str | None,
    heartbeat: float | None,
    grace: float | None,
    memory: str | None,
    trial_timeout: str | None,
    progress: str,
    artifacts: str | None,
    storage: str | None,
) -> int:
    """Go on with study NAME up to its number of trials, or to another one."""
    how = RunFlags(
        storage,
        workers,
        heartbeat,
        grace,
        memory,
        trial_timeout,
        progress,
        artifacts,
        read_ray(ray, ray_cpus, ray_gpus),
    )

    def prepare(limit: TimeLimit) -> PreparedStudy:
        limit.seconds = None if timeout is None else read_seconds("--timeout", timeout)
        from tuner.search.prepare import prepare_study
        from tuner.storage import storage_at
        from tuner.study.stored import load_study, read_definition

        place = storage_at(storage)
        definition = read_definition(load_study(place.open(create=False), name))
        return prepare_study(definition, name=name, storage_url=place.url, trials=trials)

    return run(how, prepare, REPORT, trials=None)
