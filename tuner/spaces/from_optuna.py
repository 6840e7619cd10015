"""An open space from Optuna's distributions; choices that JSON cannot hold are named by texts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner.errors import SpaceError
from tuner.parameters import Scalar, plain
from tuner.spaces.space import Space
from tuner.text import quoted

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

#: A longer text is cut, and told apart by its hash.
_LONGEST = 120


@dataclass(frozen=True)
class NamedChoices:
    """Which texts among the choices of a space stand for which objects: tuples, functions,
    estimators, infinities.

    Attributes:
        of: parameter to text to object; parameters without such choices have no entry.
    """

    of: Mapping[str, Mapping[str, object]]

    def objects(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` as the code that trains wants them, each text by what it stands for."""
        return {name: self._object(name, value) for name, value in params.items()}

    def texts(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` as the space and the storage hold them. Objects are found by `==`."""
        return {name: self._text(name, value) for name, value in params.items()}

    def _object(self, name: str, value: Any) -> Any:
        return self.of.get(name, {}).get(value, value) if isinstance(value, str) else value

    def _text(self, name: str, value: Any) -> Any:
        for text, known in self.of.get(name, {}).items():
            if known is value or (type(known) is type(value) and _equal(known, value)):
                return text
        return plain(value)


def from_distributions(
    distributions: Mapping[str, BaseDistribution], *, name: str = "space"
) -> tuple[Space, NamedChoices]:
    """The open space whose `distributions()` are these, and what its texts stand for.

    None of the names is taken for one of the catalogue. Choices that JSON holds stay as they
    are (NumPy's scalars become Python's); others are named by a text that is the same in every
    process, as far as their `repr` is.

    >>> from optuna.distributions import CategoricalDistribution, FloatDistribution
    >>> space, named = from_distributions(
    ...     {
    ...         "C": FloatDistribution(0.1, 10, log=True),
    ...         "sizes": CategoricalDistribution([(64,), (64, 32)]),
    ...     }
    ... )
    >>> space.params["sizes"].describe()
    '(64,), (64, 32)'
    >>> named.objects({"C": 1.0, "sizes": "(64, 32)"})
    {'C': 1.0, 'sizes': (64, 32)}

    Raises `SpaceError` for what is no distribution of Optuna's, and as `Space.from_dict`.
    """
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    params: dict[str, Any] = {}
    named: dict[str, Mapping[str, object]] = {}
    for key, kind in distributions.items():
        if isinstance(kind, CategoricalDistribution):
            items, objects = name_choices(kind.choices)
            params[key] = {"choices": items}
            if objects:
                named[key] = objects
        elif isinstance(kind, IntDistribution | FloatDistribution):
            step = None if isinstance(kind, IntDistribution) and kind.step == 1 else kind.step
            ends = {"low": kind.low, "high": kind.high, "log": kind.log}
            params[key] = ends if step is None else {**ends, "step": step}
        else:
            raise SpaceError(
                f"a parameter of an open space needs one of Optuna's distributions; {quoted(key)} "
                f"has {type(kind).__name__}. Available: CategoricalDistribution, "
                "FloatDistribution, IntDistribution"
            )
    space = Space.from_dict({"name": name, "open": "own", "params": params})
    return space, NamedChoices(named)


def name_choices(choices: Iterable[object]) -> tuple[list[Scalar], dict[str, object]]:
    """Choices as JSON holds them, in order, and what the texts that were made stand for.

    A text is made for what is no JSON scalar, and for what equals (`==`) an earlier choice of
    another kind, as 1 does true.
    """
    values = [plain(choice) for choice in choices]
    taken = {value for value in values if isinstance(value, str)}
    items: list[Scalar] = []
    objects: dict[str, object] = {}
    for value in values:
        if _is_scalar(value) and not any(value == item for item in items):
            items.append(value)
            continue
        text = unique_text(text_of(value), taken)
        taken.add(text)
        items.append(text)
        objects[text] = value
    return items, objects


def text_of(value: object) -> str:
    """What an object is called: the place of a function or class, or else its `repr`, if that
    holds no address."""
    if hasattr(value, "__qualname__"):
        return f"{getattr(value, '__module__', '')}.{value.__qualname__}"
    text = " ".join(repr(value).split())
    if " at 0x" in text:
        return type(value).__qualname__
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 12]}... {hashlib.sha256(text.encode()).hexdigest()[:8]}"


def unique_text(text: str, taken: Iterable[str]) -> str:
    """`text`, with a number behind it if it is taken."""
    names: Sequence[str] = list(taken)
    count, made = 1, text
    while made in names:
        count += 1
        made = f"{text} ({count})"
    return made


def _is_scalar(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | bool | int)


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # arrays, and whatever else has an opinion of its own
        return False
