"""What click refuses, in our words; choices and groups of commands that suggest what was meant."""

from __future__ import annotations

from typing import Any

import click

from tuner.errors import UsageError, did_you_mean, unknown
from tuner.text import quoted, shortened


class OneOf(click.Choice):
    """One of some names."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises `UsageError` naming the flag."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            flag = param.opts[0] if param else "a choice"
            names = [str(name) for name in self.choices]
            raise UsageError(f"{flag}: {unknown('value', value, names)}") from None


class Commands(click.Group):
    """A group of commands."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Raises `UsageError` if there is no such command."""
        command = self.find(ctx, name)
        if command is None and not name.startswith("-"):  # else an option that there is not
            raise UsageError(unknown("command", name, self.list_commands(ctx)))
        return command

    def find(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.BadOptionUsage as error:  # of an option without its value click has no context
            name = ctx.invoked_subcommand
            if error.ctx is None and name and (command := self.get_command(ctx, name)):
                error.ctx = click.Context(command, ctx, name)
            raise


def refusal(error: click.ClickException) -> str:
    """The rule that a command line breaks, then where to read of it."""
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption):
        own = () if context is None else context.command.params
        names = [name for param in own for name in param.opts if name.startswith("--")]
        text = f"unknown option {quoted(error.option_name)};"
        text += did_you_mean(error.option_name, names)
    else:
        text = shortened(error.format_message().rstrip(" ."), 300)
        text = f"{text[:1].lower()}{text[1:]}."
    help_of = "tuner" if context is None else context.command_path
    return f"{text} Available: {help_of} --help"
