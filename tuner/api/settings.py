"""How a search is run, whatever the study: checked as the command line's flags are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import numpy as np
from pydantic import Field

from tuner.api.words import told_in_python
from tuner.errors import UnknownKeywordError, UsageError, unknown
from tuner.limits import LEAST_BEAT, MOST_BEAT, MOST_SILENCE, MOST_TRIALS, MOST_WORKERS
from tuner.parameters import show
from tuner.parameters.kinds import Definition, Time, text_as
from tuner.progress import ProgressMode
from tuner.spaces.yaml_file import validated
from tuner.text import read_size
from tuner.workers.ray import RayAsked

Given = ParamSpec("Given")
Made = TypeVar("Made")


Size = Annotated[int, Field(gt=0), text_as(read_size)]
Beat = Annotated[float, Field(ge=LEAST_BEAT, le=MOST_BEAT)]
Silence = Annotated[float, Field(ge=LEAST_BEAT, le=MOST_SILENCE)]


class RunSettings(Definition):
    """As the flags of those names; None: not given. Times in seconds or as `10m`, sizes in bytes
    or as `2G`."""

    trials: int | None = Field(default=None, ge=1, le=MOST_TRIALS)
    timeout: Time | None = None
    workers: int | None = Field(default=None, ge=1, le=MOST_WORKERS)
    heartbeat: Beat | None = None
    grace: Silence | None = None
    memory: Size | None = None
    trial_timeout: Time | None = None
    progress: ProgressMode = "auto"
    ray: str | None = None
    ray_cpus: float | None = Field(default=None, ge=0.0001, le=10_000)
    ray_gpus: float | None = Field(default=None, ge=0, le=10_000)

    @classmethod
    def of(cls, function: str, **given: Any) -> RunSettings:
        """Raises `UsageError` with the rules that are broken, `function` named."""
        made = validated(plain_numbers(given), cls, function, UsageError)
        made.on_ray()
        return made

    def on_ray(self) -> RayAsked:
        """Workers on a cluster. Raises `UsageError` for what does not go together."""
        return RayAsked(self.ray, self.ray_cpus, self.ray_gpus)


def plain_numbers(given: dict[str, Any]) -> dict[str, Any]:
    """NumPy's scalars as Python's."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in given.items()
    }


def fields(argument: str, given: Any) -> dict[str, Any]:
    """A mapping as a dict, NumPy's scalars as Python's; None: an empty one. Raises `UsageError`."""
    if not isinstance(given, Mapping | None):
        raise UsageError(
            f"{argument}= takes a dict, names with their values; received {show(given)}"
        )
    return plain_numbers(dict(given or {}))


def names(argument: str, given: Any) -> tuple[str, ...]:
    """One name or several, numbers of columns too; None: none. Raises `UsageError`."""
    several = (given,) if isinstance(given, str | int | np.integer) else given
    if not isinstance(several, Iterable | None) or isinstance(several, Mapping | bytes):
        raise UsageError(f"{argument}= takes a name or a list of names; received {show(given)}")
    return tuple(map(str, several or ()))


def text(argument: str, given: Any) -> str | None:
    """Text, or a path as text. Raises `UsageError`."""
    if not isinstance(given, str | Path | None) or "\0" in str(given):
        raise UsageError(f"{argument}= takes text; received {show(given)}")
    return None if given is None else str(given)


def file_path(argument: str, given: Any) -> Path:
    """Raises `UsageError` for what names no file or folder."""
    if not isinstance(given, str | Path) or not str(given).strip() or "\0" in str(given):
        raise UsageError(f"{argument}= takes a path; received {show(given)}")
    return Path(given)


def whole(argument: str, given: Any, low: int, high: int) -> int:
    """A whole number, of NumPy too. Raises `UsageError`."""
    if (
        not isinstance(given, int | np.integer)
        or isinstance(given, bool)
        or not low <= given <= high
    ):
        raise UsageError(
            f"{argument}= takes a whole number from {low} to {high}; received {show(given)}"
        )
    return int(given)


def known_keywords(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """The function, which answers a keyword that it does not take with those that it takes, and
    whose errors of ours name keywords in place of flags."""
    given = signature(function).parameters.values()
    known = [own.name for own in given if own.name != "self" and own.kind != own.POSITIONAL_ONLY]
    told = told_in_python(function)

    @wraps(function)
    def call(*args: Given.args, **keywords: Given.kwargs) -> Made:
        for name in keywords:
            if name not in known:
                raise UnknownKeywordError(unknown("keyword", name, known))
        return told(*args, **keywords)

    return call
