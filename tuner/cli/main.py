"""The entry point: one file per command group, each loaded when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from tuner import __version__
from tuner.cli.output import FORMATS, OutputFormat, remember_given, tell
from tuner.cli.refusals import Commands, OneOf, refusal
from tuner.cli.streams import guarded_streams
from tuner.errors import TunerError

#: command -> module that defines it, and the line `tuner --help` shows for it.
COMMANDS: dict[str, tuple[str, str]] = {
    "optimize": ("tuner.cli.optimize", "Search a space: the one command to begin with."),
    "resume": ("tuner.cli.optimize", "Go on with a study up to its number of trials."),
    "plan": ("tuner.cli.plan", "What a search would cost, before it runs."),
    "worker": ("tuner.cli.worker", "Work on a study in shared storage, from any machine."),
    "spaces": ("tuner.cli.spaces", "List, show and check search spaces."),
    "studies": ("tuner.cli.studies", "List, show and delete stored studies."),
    "results": ("tuner.cli.results", "Every trial of a study, best first."),
    "best": ("tuner.cli.results", "The best trial of a study."),
    "export": ("tuner.cli.export", "Refit the best trial and write it as plain Keras."),
    "predict": ("tuner.cli.export", "Predict with an exported model."),
    "data": ("tuner.cli.data", "Show a dataset."),
    "serve": ("tuner.cli.serve", "Open the storage in optuna-dashboard."),
    "doctor": ("tuner.cli.doctor", "Check a storage and its studies; --repair mends."),
}


class LazyGroup(Commands):
    """Loads a command's module only when that command runs; helps without loading any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def find(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[name][0]), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--format",
    "output_format",
    type=OneOf(FORMATS),
    default="table",
    show_default=True,
    help="Form of the data on stdout; logs and progress go to stderr.",
)
@click.version_option(__version__)
@click.pass_context
def cli(ctx: click.Context, output_format: OutputFormat) -> None:
    """Find good hyperparameters for Keras MLPs: cross-validated, pruned, resumable."""
    ctx.obj = {"format": output_format}


def main(args: list[str] | None = None) -> Any:
    """Run the command line; what is refused becomes one paragraph on stderr and its exit code."""
    with guarded_streams():
        sys.exit(_run(args))


def _run(args: list[str] | None) -> int:
    remember_given(sys.argv[1:] if args is None else args)
    try:
        code = cli.main(args=args, prog_name="tuner", standalone_mode=False)
    except click.ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # of click 8.2 and later
            error.show()
        else:
            tell(f"error: {refusal(error)}")
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        tell("interrupted")
        return 130
    except TunerError as error:
        tell(f"error: {error}")
        return error.exit_code
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
