"""`tuner serve`: the studies of a storage in a browser."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tuner.cli.flags import STORAGE, Whole
from tuner.cli.opening import reading, storage_at
from tuner.cli.output import tell
from tuner.errors import UsageError
from tuner.text import path_text, said

#: Shorter passwords are refused: nothing slows somebody down who tries them all.
SHORTEST_PASSWORD = 8


@click.command()
@click.argument("name", required=False)
@click.option("--storage", metavar="URL", help=STORAGE.format("What to show"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=Whole(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@click.option("--allow-edit", is_flag=True, help="Let the dashboard change and delete studies.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File whose first line is the password; without it TUNER_PASSWORD. A host other than "
    "this machine needs one.",
)
def serve(
    name: str | None,
    storage: str | None,
    host: str,
    port: int,
    allow_edit: bool,
    password_file: Path | None,
) -> None:
    """Open a storage, or study NAME of it, in optuna-dashboard until Ctrl-C.

    The dashboard is read-only and answers to this machine alone unless told otherwise.
    """
    from tuner.results.serving import (
        DashboardServer,
        dashboard_app,
        is_loopback,
        opened_to_serve,
    )

    password = _password(password_file)
    loopback = is_loopback(host)
    if password is None and not loopback:
        raise UsageError(
            f"a dashboard that others can reach needs a password; received --host {host} without "
            "one. Give it by --password-file or TUNER_PASSWORD, or keep --host 127.0.0.1"
        )
    page = "/dashboard"
    if name is not None:
        with reading(name, storage) as study:
            page += f"/studies/{study._study_id}"
    with (
        opened_to_serve(storage_at(storage), allow_edit) as (opened, figures),
        DashboardServer(
            dashboard_app(
                opened, loopback=loopback, password=password, allow_edit=allow_edit, figures=figures
            ),
            host,
            port,
        ) as server,
    ):
        shown = f"[{host}]" if ":" in host else host
        mode = "changes allowed" if allow_edit else "read-only"
        lock = ", with a password" if password is not None else ""
        tell(f"http://{shown}:{server.server_port}{page}  ({mode}{lock})")
        tell("Press Ctrl-C to end.")
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            tell("ended")


def _password(file: Path | None) -> str | None:
    """The password from the file's first line or from TUNER_PASSWORD; None if neither is.

    Raises:
        UsageError: it is shorter than `SHORTEST_PASSWORD`, or the file cannot be read as text.
    """

    if file is not None:
        source = f"the first line of {path_text(file)}"
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"a password file must be readable text; {path_text(file)}: {said(error)}"
            ) from error
        password = lines[0] if lines else ""
    elif "TUNER_PASSWORD" in os.environ:
        source, password = "TUNER_PASSWORD", os.environ["TUNER_PASSWORD"]
    else:
        return None
    if len(password) < SHORTEST_PASSWORD:
        raise UsageError(
            f"a password must have at least {SHORTEST_PASSWORD} characters; {source} has "
            f"{len(password)}"
        )
    return password
