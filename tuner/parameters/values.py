"""Single values of a parameter: do they fit what is known of it, and how are they written?"""

import math
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from tuner.errors import PlanError, unknown
from tuner.parameters.info import MOST_LAYERS, Kind, ParameterInfo, Scalar, Value
from tuner.text import quoted

_WIDTHS = re.compile(r"[1-9][0-9]*(-[1-9][0-9]*)*")
#: Whole numbers from here on are not all numbers that a float can hold.
_MOST = 2**53
#: Below this float32 loses digits, and processors that are told to take such numbers for 0.
_TINY = 2.0**-126


class _Unheld(ValueError):
    """A number within its bounds that a training cannot compute with."""


def fit_value(info: ParameterInfo, value: object) -> Value:
    """`value` as the parameter's kind wants it: 1 becomes 1.0 for a float, 64.0 becomes 64 for a
    whole number, a list of numbers stays one if the parameter is a list.

    Raises ValueError with the rule and the value.
    """
    if value is None and info.default is None:
        return None
    if info.many:
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(f"must be a list of numbers, such as [10, 15]; got {show(value)}")
        if info.own:
            return [_own_item(item) for item in value]
        return [_number(info, item) for item in value]
    return fit_scalar(info, value)


def fit_scalar(info: ParameterInfo, value: object) -> Scalar:
    """As `fit_value`, for a parameter (or an item of one) that is a single value."""
    if value is None and info.default is None:
        return None
    if isinstance(value, list | tuple):
        raise ValueError(
            f"must be one value; got {show(value)}; to search a list write {{choices: [...]}}"
        )
    if info.kind == "bool":
        if not isinstance(value, bool):
            hint = ""
            if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off", "y", "n"):
                hint = "; YAML 1.2 reads yes, no, on and off as text"
            raise ValueError(f"must be true or false; got {show(value)}{hint}")
        return value
    if info.kind == "category" and info.own:
        return _own_item(value)
    if info.kind == "category":
        if not isinstance(value, str):
            raise ValueError(f"must be one of {', '.join(info.names)}; got {show(value)}")
        if value not in info.names:
            raise ValueError(unknown(info.name, value, info.names))
        return value
    if info.widths and isinstance(value, str):
        if not _WIDTHS.fullmatch(value):
            raise ValueError(
                f"must be a whole number, or one width for each layer such as 64-32; "
                f"got {show(value)}"
            )
        widths = value.split("-")
        if len(widths) > MOST_LAYERS:
            raise ValueError(f"must be at most {MOST_LAYERS} widths; got {len(widths)}")
        # Python itself refuses to read thousands of digits.
        if not all(len(width) < 16 and info.contains(int(width)) for width in widths):
            raise ValueError(f"must be {info.bounds} in each layer; got {show(value)}")
        return value
    return _number(info, value)


def checked(info: ParameterInfo, value: object) -> Any:
    """`value` as a plan holds it: as `fit_value`, but a list of numbers (or one number) is a tuple
    of floats, and an alias is the choice that it stands for.

    Raises PlanError with the rule and the value. A plan may be made from any mapping, so that
    what a space was checked for when it was read is checked here too.
    """
    try:
        if info.many and value is not None:
            items = value if isinstance(value, list | tuple) else (value,)
            return tuple(_number(info, item) for item in items)
        fit = fit_scalar(info, value)
    except _Unheld as error:
        raise PlanError(f"{info.name} {error}") from None
    except ValueError:
        if info.kind == "category":
            raise PlanError(unknown(info.name, value, info.names)) from None
        raise PlanError(f"{info.name} must be {info.rule}; got {quoted(value)}") from None
    return info.aliases.get(fit, fit) if isinstance(fit, str) else fit


def _number(info: ParameterInfo, value: object) -> int | float:
    noun = "a whole number" if info.kind == "int" else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "; write it without quotes" if _is_number_text(value) else ""
        raise ValueError(f"must be {noun}; got {show(value)}{hint}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must be finite; got {show(value)}")
    if info.kind == "int" and value != int(value):
        raise ValueError(f"must be a whole number; got {show(value)}")
    if not info.contains(value):
        raise ValueError(f"must be {info.bounds}; got {show(value)}")
    if info.kind == "float":
        if not info.own:
            _check_float32(info, value)
        return float(value)
    if abs(value) > _MOST:
        raise _Unheld(f"must be at most 2^53; got {show(value)}")
    return int(value)


def _own_item(value: object) -> Any:
    """What JSON can hold as one value. Raises ValueError."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(
        f"must be text, a finite number, true, false or null, or a list of these; got {show(value)}"
    )


def _check_float32(info: ParameterInfo, value: float) -> None:
    """Raises `_Unheld` unless float32 holds `value`, on the same side of its exclusive bounds."""
    try:
        (single,) = struct.unpack("<f", struct.pack("<f", float(value)))
    except OverflowError:
        raise _Unheld(
            f"must be within float32, which trainings compute in: -3.4e+38 to 3.4e+38; "
            f"got {show(value)}"
        ) from None
    if abs(single) < _TINY:
        single = 0.0
    if single in (info.above, info.below):
        raise _Unheld(
            f"must be {info.bounds} in float32, which trainings compute in and where it is "
            f"{single:g}; got {show(value)}"
        )


def _is_number_text(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def plain(value: object) -> Any:
    """NumPy's scalars as Python's; anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 else value  # type: ignore[attr-defined]


def own_kind(values: Sequence[object]) -> Kind:
    """What values are that no catalogue knows, null left out of account."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    return "float" if kinds and kinds <= {int, float} else "category"


def mixture(values: Sequence[object]) -> str | None:
    """What is mixed in a list of values (`numbers (1) and text ('a')`), or None if all are of
    one kind. Whole numbers and fractions mix, and null stands beside anything."""
    first: dict[str, object] = {}
    for value in values:
        if isinstance(value, bool):
            first.setdefault("true or false", value)
        elif isinstance(value, int | float):
            first.setdefault("numbers", value)
        elif isinstance(value, str):
            first.setdefault("text", value)
    if len(first) < 2:
        return None
    shown = {"text": repr}
    return " and ".join(f"{kind} ({shown.get(kind, show)(value)})" for kind, value in first.items())


def show(value: object) -> str:
    """A value received, as YAML writes it, with its kind if that may surprise."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = quoted(value, 60)
    if isinstance(value, str):
        return f"{text} (text)"
    if isinstance(value, list | tuple):
        return f"{text} (a list)"
    if isinstance(value, Mapping):
        return f"{text} (a mapping)"
    return text


def word(value: Value) -> str:
    """A value as YAML writes it, floats with 6 significant digits."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(word(item) for item in value)}]"
    return value if isinstance(value, str) else show(value)
