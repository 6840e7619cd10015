"""`tuner studies`: list, show and delete what a storage holds."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from tuner.cli.flags import STORAGE, artifacts_option
from tuner.cli.opening import storage_at
from tuner.cli.output import columns_of, emit, format_option, render, tell
from tuner.cli.refusals import Commands
from tuner.errors import TunerError, UsageError
from tuner.text import printable, quoted, score_text

storage_option = click.option(
    "--storage", metavar="URL", help=STORAGE.format("Where the studies are")
)


@click.group(cls=Commands)
def studies() -> None:
    """List, show and delete stored studies."""


@studies.command(name="list")
@storage_option
@format_option
def list_command(storage: str | None) -> None:
    """List the studies of a storage with their trials by state and their best value."""
    from tuner.results.studies import list_studies, summary_row

    place = storage_at(storage)
    rows = []
    if storage is None and place.absent:
        tell(f"no studies yet: {place.file} does not exist")
    else:
        with place.open_read_only() as opened:
            rows = [] if opened is None else [summary_row(own) for own in list_studies(opened)]
    emit(rows, table=lambda: _table(rows))


@studies.command()
@click.argument("name")
@storage_option
@format_option
def show(name: str, storage: str | None) -> None:
    """Show one study: its trials by state, its best value and its whole definition."""
    from tuner.results.nested import nested_data, nested_of
    from tuner.results.studies import COUNTS, summarize, summary_row
    from tuner.study.stored import is_foreign, load_study, read_definition

    place = storage_at(storage)
    with place.open_read_only() as opened:
        study = load_study(opened, name)
        row = summary_row(summarize(study))
        definition, why = None, row["unreadable"]
        nested = nested_of(study)
        try:
            definition = None if is_foreign(study.user_attrs) else read_definition(study)
        except TunerError as error:
            why = str(error)
    data = {
        "study": name,
        "storage": str(place),
        "trials": {key: row[key] for key in COUNTS},
        "best_value": row["best_value"],
        "begun": row["begun"],
        "definition": None if definition is None else definition.model_dump(mode="json"),
        "unreadable": why,
        **({} if nested is None else {"nested": nested_data(nested)}),
    }
    # YAML is the easiest to read, and the definition is what a study file holds.
    emit(data, table=lambda: render(data, "yaml"))


@studies.command()
@click.argument("name")
@storage_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--running", is_flag=True, help="With --yes: also while trials of it run.")
@artifacts_option
@format_option
def delete(name: str, storage: str | None, yes: bool, running: bool, artifacts: str | None) -> None:
    """Delete a study with all its trials and their checkpoints. There is no way back; those who
    work on it end."""
    from tuner.results.studies import summarize
    from tuner.search.checkpoints.checkpoints import remove_all, study_key
    from tuner.search.checkpoints.store import AtomicFileStore
    from tuner.study.stored import delete_study, load_study

    place = storage_at(storage)
    opened = place.open(create=False)
    with place.errors():
        study = load_study(opened, name)
        summary, key = summarize(study), study_key(study)
        counts = summary.counts
    shown, called = printable(str(place)), printable(name)
    if yes and counts.running and not running:
        raise UsageError(
            f"a study of which trials run is not deleted by --yes alone; {quoted(name)} has "
            f"{counts.running} running. Available: end those who work on it, or --yes --running"
        )
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                f"a study is deleted after a question or with --yes; {quoted(name)} was not, "
                "since there "
                "is nobody to ask. Available: --yes"
            )
        beside = f" and {counts.running} running ones" if counts.running else ""
        if not click.confirm(
            f"Delete {called} from {shown} with its {counts.done} finished trials{beside}?",
            err=True,
        ):
            tell("nothing was deleted")
            raise click.exceptions.Exit(1)
    with place.errors():
        delete_study(opened, name)
    remove_all(AtomicFileStore(place.artifacts_folder(artifacts)), key)
    kept = (summary.data or "").partition(":")[2]
    if kept.startswith(f"{place.data_folder(artifacts)}{os.sep}"):
        tell(f"its data stay, which other studies may use: {kept}")
    data = {"study": name, "storage": str(place), "deleted_trials": counts.done}
    emit(
        data,
        table=lambda: f"deleted {called} ({counts.done} finished trials) from {shown}",
    )


def _table(rows: list[dict[str, Any]]) -> str:
    header = ["study", "space", "data", "sampler", "trials", "failed", "best"]
    lines = [
        [
            row["study"],
            row["space"] or ("(unreadable)" if row["unreadable"] else "(not tuner's)"),
            row["data"] or "-",
            row["sampler"] or "-",
            f"{row['complete'] + row['pruned'] + row['failed']}/{row['total']}",
            str(row["failed"]),
            "-"
            if row["best_value"] is None
            else f"{row['metric'] or 'value'} {score_text(row['best_value'])}",
        ]
        for row in rows
    ]
    why = [f"{row['study']}: {row['unreadable']}" for row in rows if row["unreadable"]]
    return "\n".join([columns_of(header, lines), *why]) if lines else "no studies"
