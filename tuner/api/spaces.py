"""Search spaces as they are written in Python: dicts, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.errors import SpaceError, UsageError
from tuner.parameters import show
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.library import load_space
from tuner.spaces.parameter import Parameter
from tuner.spaces.space import Space

Form = dict[str, Any]


def log(low: float, high: float, *, default: float | None = None) -> Form:
    """Numbers from `low` to `high`, both included, drawn evenly in their logarithm; `default` is
    tried first.

    >>> import tuner
    >>> space = {"optimizer": "adam", "optimizer.learning_rate": tuner.log(1e-4, 1e-1)}
    """
    return {"low": low, "high": high, "log": True, **_default(default)}


def choices(*values: Any, default: Any = None) -> Form:
    """One of these values, in no particular order; given one by one or as one list. `default` is
    tried first.

    >>> import tuner
    >>> space = {"model.units": tuner.choices("32", "64", "64-32")}
    """
    return {"choices": _listed(values), **_default(default)}


def values(*values: Any, default: Any = None) -> Form:
    """An ordered grid of values, of which samplers choose one; given one by one or as one list.
    `default` is tried first.

    >>> import tuner
    >>> space = {"batch_size": tuner.values(32, 64, 128)}
    """
    return {"values": _listed(values), **_default(default)}


def when(form: Any, conditions: Mapping[str, Any] | None = None, **others: Any) -> Form:
    """A value or a form that holds only while other parameters have certain values.

    Args:
        form: a fixed value, a range `(low, high)`, or what `log`, `choices` and `values` make.
        conditions: parameter to the value, or the list of values, that it must have.
        others: the same, of parameters whose names have no dot.

    Raises `SpaceError` if `conditions` are none.

    >>> import tuner
    >>> space = {
    ...     "optimizer": tuner.choices("sgd", "adam"),
    ...     "optimizer.momentum": tuner.when((0.0, 0.9), optimizer="sgd"),
    ... }
    """
    if not isinstance(conditions, Mapping | None):
        raise SpaceError(
            "when takes parameters with the values that they must have; received "
            f"{show(conditions)}. Available: {{'schedule.name': 'step'}}, or optimizer='sgd'"
        )
    held = {**(conditions or {}), **others}
    inside = dict(form) if isinstance(form, Mapping) else _form("", form)
    inside = inside if isinstance(inside, dict) else {"value": inside}
    return {**inside, "when": held}


def space_from(
    given: str | Path | Mapping[str, Any] | Space | None, name: str | None = None
) -> Space | None:
    """The space that is meant: a name, a file, a dict of parameters, or a space itself; None:
    none is.

    Args:
        name: of a dict's space, whose parameters may then have names of one's own.

    Raises:
        SpaceError: there is none of that name, or a line for each problem of its parameters.
        UsageError: it is something else.
    """
    if given is None or isinstance(given, Space):
        return given
    if isinstance(given, str | Path):
        return load_space(given)
    if isinstance(given, Mapping):
        params = {key: _form(key, own) for key, own in given.items()}
        own = {} if name is None else {"name": name, "open": True}
        return Space.from_dict({**own, "params": params})
    raise UsageError(
        "a space is a name, a file, a dict of parameters or a tuner.Space; received "
        f"{show(given)}. Available: {{'optimizer.learning_rate': tuner.log(1e-4, 1e-1)}}, "
        "or no space, for one that fits the data"
    )


def settings_from(given: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as `Space.override` takes them: JSON, which is YAML. Raises `SpaceError`."""
    settings = {}
    for name, own in given.items():
        form = _form(name, own)
        form = form.to_data() if isinstance(form, Parameter) else form
        try:
            settings[name] = json.dumps(form)
        except (TypeError, ValueError):
            raise SpaceError(
                f"set: {name}: must be a value, a range (low, high), or what tuner.log, "
                f"tuner.choices and tuner.values make; got {show(own)}"
            ) from None
    return settings


def _form(name: str, given: Any) -> Any:
    """A parameter as a space file has it: of two numbers in a tuple the range, of a list the
    choices, unless the parameter is a list of numbers itself."""
    info = CATALOGUE.get(name)
    given = _plain(given)
    if info is not None and info.many:
        return list(given) if isinstance(given, tuple) else given
    if isinstance(given, tuple) and len(given) == 2 and all(map(_is_number, given)):
        return {"low": given[0], "high": given[1]}
    return {"choices": given} if isinstance(given, list) else given


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _default(value: Any) -> Form:
    return {} if value is None else {"default": _plain(value)}


def _listed(values: Sequence[Any]) -> list[Any]:
    """The values that were given one by one, or as one list."""
    [*first] = values
    alone = first[0] if len(first) == 1 else None
    several = alone if hasattr(alone, "__iter__") and not isinstance(alone, str) else first
    return [_plain(value) for value in several]  # type: ignore[union-attr]


def _plain(value: Any) -> Any:
    """NumPy's scalars and arrays as Python's, also inside."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_plain(own) for own in value])
    return value
