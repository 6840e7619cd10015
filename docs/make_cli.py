"""docs/cli.md, made from the commands' own help.

python docs/make_cli.py > docs/cli.md
"""

from __future__ import annotations

import click

from tuner.cli.main import cli

_HEAD = """# The command line

Made from the commands' own help by `python docs/make_cli.py > docs/cli.md`; a test checks
that it is current.

Data go to stdout in the form that `--format` asks for, logs and progress to stderr. Exit codes:
0 done · 1 failure · 2 usage or an invalid file · 3 no completed trial · 4 storage unreachable ·
129, 130 and 143 ended by SIGHUP, SIGINT and SIGTERM · 141 nobody read the output to its end. A
search whose output cannot be written (a full disk, a closed stdout) goes on to its end, stores its
results and exits with 1.
"""


def cli_reference() -> str:
    """The reference of all commands, as Markdown with one final newline."""
    return "\n".join([_HEAD, *_sections("tuner", cli, None)])


def _sections(name: str, command: click.Command, parent: click.Context | None) -> list[str]:
    """The section of `command` and those of its subcommands."""
    parts = [_section(name, command, parent)]
    if isinstance(command, click.Group):
        with click.Context(command, info_name=name, parent=parent) as context:
            for sub in command.list_commands(context):
                child = command.get_command(context, sub)
                assert child is not None
                parts += _sections(sub, child, context)
    return parts


def _section(name: str, command: click.Command, parent: click.Context | None) -> str:
    # A width of its own: the reference may not depend on the terminal that makes it.
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=96,
        max_content_width=96,
        help_option_names=["-h", "--help"],
    )
    with context:
        text = command.get_help(context)
        return f"## {context.command_path}\n\n```text\n{text}\n```\n"


if __name__ == "__main__":
    click.echo(cli_reference(), nl=False)
