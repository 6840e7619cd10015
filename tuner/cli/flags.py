"""Flags that several commands take: each is a field of a dataclass, declared once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields
from functools import wraps
from typing import Any

import click

from tuner.errors import UsageError
from tuner.text import quoted, read_size, read_time

Command = Callable[..., Any]


def flag(metavar: str | None, text: str, name: str = "", default: Any = None, **more: Any) -> Any:
    """A field of a dataclass of flags: `click.option` with the help `text`. The flag is called as
    the field is, unless it has a `name` of its own."""
    if default not in (None, ()):
        more["default"] = default
    settings = {"metavar": metavar, "help": text, **more}
    return field(default=default, metadata={"option": (name, settings)})


def takes(**groups: type) -> Callable[[Command], Command]:
    """The command gets, by each name, an instance of the dataclass, made from its flags."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(*args: Any, **given: Any) -> Any:
            for name, group in groups.items():
                given[name] = group(**{own: given.pop(own) for own in _options(group)})
            return command(*args, **given)

        decorated: Command = call
        for group in reversed(groups.values()):
            for own, (flag_name, settings) in reversed(_options(group).items()):
                decorated = click.option(flag_name, own, **settings)(decorated)
        return decorated

    return decorate


def _options(group: type) -> dict[str, tuple[str, dict[str, Any]]]:
    """The field's name to the flag's name and its settings."""
    given = {own.name: own.metadata["option"] for own in fields(group) if "option" in own.metadata}
    return {
        own: (name or "--" + own.replace("_", "-"), settings)
        for own, (name, settings) in given.items()
    }


class Amount(click.ParamType):
    """A number above 0 that is written with units."""

    def __init__(self, name: str, read: Callable[[str], float], zero: str) -> None:
        """`read` raises ValueError; `zero` is how nothing is written, for messages."""
        self.name, self._read, self._zero = name, read, zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises `UsageError` naming the flag."""
        try:
            amount = self._read(value)
            if amount <= 0:
                raise ValueError(f"must be more than {self._zero}; got {quoted(value)}")
        except ValueError as error:
            raise UsageError(f"{param.opts[0] if param else self.name} {error}") from None
        return amount


TIME, SIZE = Amount("time", read_time, "0 s"), Amount("size", read_size, "0 bytes")
POSITIVE = click.FloatRange(min=0, min_open=True)
COUNT = click.IntRange(min=1)

STORAGE = "{}; without it TUNER_STORAGE, OPTUNA_STORAGE or the local file."
STUDY_STORAGE = STORAGE.format("Where the study is stored")
ARTIFACTS = (
    "Folder of checkpoints; without it TUNER_ARTIFACTS, or artifacts beside the storage's file."
)
storage_option = click.option("--storage", metavar="URL", help=STUDY_STORAGE)
artifacts_option = click.option("--artifacts", metavar="DIR", help=ARTIFACTS)
