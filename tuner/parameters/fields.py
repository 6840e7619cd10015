"""Parameters that are the settings of something: fields of the class that describes it."""

from dataclasses import Field, field, fields, replace
from inspect import get_annotations
from types import NoneType
from typing import Any

from tuner.parameters.info import Kind, ParameterInfo

_KINDS: dict[type, Kind] = {
    float: "float", int: "int", bool: "bool", str: "category", NoneType: "float", tuple: "float",
}  # fmt: skip


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field that is a parameter of search spaces. Classes may share one.

    Args:
        default: its type says what the setting is: a float, an int, a bool, or one of `choices`.
            None is a float that need not be set; the empty tuple is a list of floats.
        help: one line for people.
        low, high, above, below: bounds, as in `ParameterInfo`.
    """
    many = default == ()
    kind = _KINDS[type(default)]
    known = None if many else default
    info = ParameterInfo("", kind, known, help, low, high, above, below, choices, many=many)
    return field(default=default, metadata={"info": info})


def setting_as(shared: Field[Any], default: Any) -> Any:
    """The `shared` setting, with another default."""
    info = replace(shared.metadata["info"], default=default)
    return field(default=default, metadata={"info": info})


def settings_of(kind: type, section: str) -> dict[str, ParameterInfo]:
    """Field -> the parameter `section.field` that it is; those of the class before inherited
    ones."""
    order = dict.fromkeys(name for cls in kind.__mro__ for name in get_annotations(cls))
    infos = {
        f.name: replace(f.metadata["info"], name=f"{section}.{f.name}")
        for f in fields(kind)
        if "info" in f.metadata
    }
    return {name: infos[name] for name in order if name in infos}
