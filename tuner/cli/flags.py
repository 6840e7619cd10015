"""Flags that several commands take: each is a field of a dataclass, declared once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields
from functools import wraps
from typing import Any, TypeVar

import click

from tuner.errors import UsageError
from tuner.text import read_size, read_time

F = TypeVar("F", bound=Callable[..., Any])


def flag(*names: str, default: Any = None, **settings: Any) -> Any:
    """A field of a dataclass of flags: what `click.option` takes, but for the parameter's name,
    which is the field's."""
    if default not in (None, ()):
        settings["default"] = default
    return field(default=default, metadata={"option": (names, settings)})


def takes(**groups: type) -> Callable[[F], F]:
    """The command gets, by each name, an instance of the dataclass, made from its flags."""

    def decorate(command: F) -> F:
        @wraps(command)
        def call(*args: Any, **given: Any) -> Any:
            for name, group in groups.items():
                given[name] = group(**{own: given.pop(own) for own in _options(group)})
            return command(*args, **given)

        decorated: Any = call
        for group in reversed(groups.values()):
            for own, (names, settings) in reversed(_options(group).items()):
                decorated = click.option(*names, own, **settings)(decorated)
        made: F = decorated
        return made

    return decorate


def _options(group: type) -> dict[str, tuple[tuple[str, ...], dict[str, Any]]]:
    """The field's name to names and settings of its option."""
    return {f.name: f.metadata["option"] for f in fields(group) if "option" in f.metadata}


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
                raise ValueError(f"must be more than {self._zero}; got {value!r}")
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
