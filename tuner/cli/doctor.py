"""`tuner doctor`: is everything in order, and mending what is not."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.flags import BEAT, SILENCE, artifacts_option, storage_option
from tuner.cli.output import emit, format_option, tell
from tuner.text import counted, printable

if TYPE_CHECKING:
    from tuner.doctor import Finding, Repair


@click.command()
@storage_option
@click.option("--name", metavar="S", help="Only this study.  [default: all of the storage]")
@click.option(
    "--repair",
    "mend",
    is_flag=True,
    help="Mend a torn journal, remove locks of dead processes, queue again what nobody works on.",
)
@artifacts_option
@click.option(
    "--grace",
    type=SILENCE,
    default=60.0,
    metavar="S",
    help="Seconds that a worker may be silent.  [default: 60]",
)
@click.option(
    "--heartbeat",
    type=BEAT,
    default=10.0,
    metavar="S",
    help="Seconds between a worker's signs of life.  [default: 10]",
)
@format_option
def doctor(
    storage: str | None,
    name: str | None,
    mend: bool,
    artifacts: str | None,
    grace: float,
    heartbeat: float,
) -> int:
    """Check the storage, its studies, their data, and this machine.

    Writes nothing unless --repair is given. The exit code is 0 if no check found an error, 1
    if one did, 4 if the storage cannot be reached.
    """
    from tuner.doctor import examine, repair, time_write

    done: Sequence[Repair] = ()
    write = None
    if mend:
        done = repair(
            storage,
            name=name,
            artifacts=artifacts,
            grace=grace,
            interval=heartbeat,
            tell=tell,
        )
        write = time_write(storage)
    report = examine(storage, name=name, artifacts=artifacts, grace=grace, write=write)
    rows = [_row(own.check, "repaired", own.study, own.text) for own in done]
    rows += [_row(own.check, own.state, own.study, own.text) for own in report.findings]
    emit(rows, table=lambda: _text(rows, report.findings, mend))
    if not report.reachable:
        return 4
    return 0 if report.sound else 1


def _row(check: str, state: str, study: str | None, text: str) -> dict[str, Any]:
    return {"check": check, "state": state, "study": study, "message": text}


def _text(rows: Sequence[dict[str, Any]], findings: Sequence[Finding], mend: bool) -> str:
    """One paragraph a row, those of a study under its name; then the sum."""
    width = max(60, min(120, shutil.get_terminal_size((100, 24)).columns))
    heads = max(len(row["check"]) for row in rows)
    lines, study = [], None
    for row in rows:
        if row["study"] != study:
            study = row["study"]
            lines += ["", f"study {printable(study)}"] if study else [""]
        head = f"{row['state']:<8}  {row['check']:<{heads}}  "
        lines += textwrap.wrap(
            row["message"],
            width,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
    states = [finding.state for finding in findings]
    errors, warnings = states.count("error"), states.count("warning")
    summed = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    lines += ["", f"{len(states)} checks: {summed}"]
    if mend and not any(row["state"] == "repaired" for row in rows):
        lines[-1] += "; there was nothing to repair"
    return "\n".join(lines)
