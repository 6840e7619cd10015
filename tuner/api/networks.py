"""A network of one's own in place of a space's: `tuner.optimize(build, X, y, space={...})`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.api.spaces import space_from
from tuner.errors import UsageError

if TYPE_CHECKING:
    from tuner.spaces import Space

#: From a candidate's parameters to a `keras.Model`.
Build = Callable[[dict[str, Any]], Any]


def build_and_space(
    first: str | Path | Mapping[str, Any] | Space | Build | None,
    space: str | Path | Mapping[str, Any] | Space | None,
) -> tuple[Build | None, Space | None]:
    """What `tuner.optimize` is given first, `build` or a space, and by `space=`.

    The parameters of `build` may have names of one's own.

    Raises:
        SpaceError: see `space_from`.
        UsageError: two spaces, or `build` without one; a model where its `build` is meant.
    """
    if not callable(first):
        if first is not None and space is not None:
            raise UsageError(
                "the space is the first argument or space=; received both. Available: "
                "tuner.optimize(build, X, y, space=...) with a function that builds a network"
            )
        return None, space_from(space if first is None else first)
    if any(kind.__module__.startswith("keras.") for kind in type(first).__mro__):
        raise UsageError(
            "a network of your own is a function from parameters to a new keras.Model, as every "
            f"fold trains one; received a {type(first).__name__}. Available: tuner.optimize("
            "lambda params: ..., X, y, space=...)"
        )
    if space is None:
        raise UsageError(
            "a network of your own needs the space of its parameters. Available: "
            "tuner.optimize(build, X, y, space={'filters': tuner.choices(8, 16), 'epochs': 20})"
        )
    name = getattr(first, "__name__", type(first).__name__).strip("<>")
    return first, space_from(space, name=name)
