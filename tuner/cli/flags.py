"""Flags that several commands take: each is a field of a dataclass, declared once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field, fields
from functools import wraps
from typing import Any

import click

from tuner.cli.refusals import OneOf
from tuner.errors import UsageError
from tuner.limits import (
    LEAST_BEAT,
    MOST,
    MOST_BEAT,
    MOST_FOLDS,
    MOST_RETRIES,
    MOST_SECONDS,
    MOST_SEED,
    MOST_SILENCE,
    MOST_TRIALS,
    MOST_WORKERS,
)
from tuner.text import quoted, read_size, read_time

Command = Callable[..., Any]


def flag(metavar: str | None, text: str, name: str = "", default: Any = None, **more: Any) -> Any:
    """A field of a dataclass of flags: `click.option` with the help `text`. The flag is called as
    the field is, unless it has a `name` of its own."""
    if default not in (None, ()):
        more["default"] = default
    if "/" in name:
        more["default"] = None  # neither: click would take that for the second
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

    def __init__(
        self, name: str, read: Callable[[str], float], zero: str, most: float, most_text: str
    ) -> None:
        """`read` raises ValueError; `zero` and `most_text` are how nothing and `most` are written,
        for messages."""
        self.name, self._read, self._zero = name, read, zero
        self._most, self._most_text = most, most_text

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises `UsageError` naming the flag."""
        try:
            amount = self._read(value)
            if amount <= 0:
                raise ValueError(f"must be more than {self._zero}; got {quoted(value)}")
            if amount > self._most:
                raise ValueError(f"must be at most {self._most_text}; got {quoted(value)}")
        except ValueError as error:
            raise UsageError(f"{_flag(param, self)} {error}") from None
        return amount


class Number(click.ParamType):
    """A finite number within a range that makes sense."""

    name, noun = "number", "a number"
    read: Callable[[Any], float] = staticmethod(float)

    def __init__(self, low: float, high: float, *, between: bool = False) -> None:
        """`between`: the two ends themselves are refused."""
        self.low, self.high, self.between = low, high, between

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises `UsageError` naming the flag, the range and the value."""
        try:
            number = self.read(value)
        except ValueError:
            number = math.nan
        low, high = self.low, self.high
        # No comparison holds for NaN.
        if low < number < high or (number in (low, high) and not self.between):
            return number
        allowed = f"between {low} and {high}" if self.between else f"from {low} to {high}"
        raise UsageError(f"{_flag(param, self)} must be {self.noun} {allowed}; got {quoted(value)}")


class Whole(Number):
    """A whole number within a range that makes sense."""

    name, noun = "whole number", "a whole number"
    read = staticmethod(int)


def _flag(param: click.Parameter | None, kind: click.ParamType) -> str:
    return param.opts[0] if param else kind.name


TIME = Amount("time", read_time, "0 s", MOST_SECONDS, f"{MOST_SECONDS:.0f} s")
SIZE = Amount("size", read_size, "0 bytes", 2**60, "1048576T")
COUNT, TRIAL = Whole(1, MOST), Whole(0, MOST)
TRIALS, WORKERS = Whole(1, MOST_TRIALS), Whole(1, MOST_WORKERS)
ROWS, FOLDS, SHARE = Whole(2, MOST), Whole(2, MOST_FOLDS), Number(0, 1, between=True)
SEED, RETRIES = Whole(0, MOST_SEED), Whole(0, MOST_RETRIES)
#: Seconds between two looks at a storage or two signs of life, and seconds of silence.
BEAT, SILENCE = Number(LEAST_BEAT, MOST_BEAT), Number(LEAST_BEAT, MOST_SILENCE)

STORAGE = "{}; without it TUNER_STORAGE, OPTUNA_STORAGE or the local file."
STUDY_STORAGE = STORAGE.format("Where the study is stored")
ARTIFACTS = (
    "Folder of checkpoints; without it TUNER_ARTIFACTS, or artifacts beside the storage's file."
)
storage_option = click.option("--storage", metavar="URL", help=STUDY_STORAGE)
choose_option = click.option(
    "--choose",
    type=OneOf(("best", "one-se")),
    default="best",
    show_default=True,
    help="The trial with the best mean score, or the simplest within one standard error of it: "
    "fewest parameters, then fewest epochs.",
)
artifacts_option = click.option("--artifacts", metavar="DIR", help=ARTIFACTS)
