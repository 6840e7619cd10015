"""Checks of single parameter values against the catalogue.

Every message names the rule, then the value. What a space was checked for when it was read holds
here too, since a plan may be made from any mapping.
"""

from __future__ import annotations

import math

from tuner.errors import PlanError, unknown
from tuner.spaces.catalogue import CATALOGUE


def number(name: str, value: object) -> float:
    """`value` as a finite float within the bounds of the parameter `name`.

    Raises PlanError with the bounds in its message.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PlanError(f"{name} must be {_rule(name, 'a number')}; got {value!r}")
    if not CATALOGUE[name].contains(value):
        raise PlanError(f"{name} must be {_rule(name, 'a number')}; got {value!r}")
    return float(value)


def numbers(name: str, value: object) -> tuple[float, ...]:
    """`value`, a list of numbers (or one number), as a tuple of floats. Raises PlanError."""
    listed = value if isinstance(value, list | tuple) else (value,)
    return tuple(number(name, item) for item in listed)


def whole(name: str, value: object) -> int:
    """`value` as an int within the bounds of `name`; 3.0 counts as 3. Raises PlanError."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PlanError(f"{name} must be {_rule(name, 'a whole number')}; got {value!r}")
    if not CATALOGUE[name].contains(value):
        raise PlanError(f"{name} must be {_rule(name, 'a whole number')}; got {value!r}")
    return value


def flag(name: str, value: object) -> bool:
    """`value` where it is true or false. Raises PlanError."""
    if not isinstance(value, bool):
        raise PlanError(f"{name} must be true or false; got {value!r}")
    return value


def choice(name: str, value: object) -> str:
    """The choice of the category `name` that `value` is or is an alias of.

    Raises PlanError with the closest name.
    """
    info = CATALOGUE[name]
    if not isinstance(value, str) or value not in info.names:
        raise PlanError(unknown(name, value, info.names))
    return info.aliases.get(value, value)


def checked(name: str, value: object) -> float | int | bool | str | tuple[float, ...]:
    """`value` by the rules of whichever kind the parameter `name` is. Raises PlanError."""
    info = CATALOGUE[name]
    if info.many:
        return numbers(name, value)
    if info.kind == "float":
        return number(name, value)
    if info.kind == "int":
        return whole(name, value)
    return flag(name, value) if info.kind == "bool" else choice(name, value)


def _rule(name: str, kind: str) -> str:
    return f"{kind} {CATALOGUE[name].bounds}".strip()
