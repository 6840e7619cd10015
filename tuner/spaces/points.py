"""Points of a space that a person names: values of some parameters, the rest left to a sampler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

from tuner.errors import SpaceError, unknown
from tuner.parameters import Value, fit_value, show, word
from tuner.spaces.conditions import Condition
from tuner.spaces.explain import Problem
from tuner.spaces.parameter import Varying
from tuner.spaces.space import Space
from tuner.spaces.yaml_file import parse_yaml, raise_problems
from tuner.text import quoted


def _plain(point: Mapping[str, Any]) -> dict[str, Any]:
    return {key: own.item() if hasattr(own, "item") else own for key, own in point.items()}


#: Some parameters of a space with their values; those of NumPy become Python's.
Point = Annotated[dict[str, Any], AfterValidator(_plain)]


def read_point(text: str, source: str = "--try") -> dict[str, Any]:
    """`optimizer.learning_rate=0.01, batch_size=32`; each value is YAML 1.2.

    Raises SpaceError, beginning with `source`, for a part that is no NAME=VALUE, a value that is
    no YAML, and a name that comes twice.
    """
    point: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (equals and name and value):
            raise SpaceError(
                f"{source} takes PARAMETER=VALUE, PARAMETER=VALUE, ...; received {quoted(text)}. "
                "Available, for example: optimizer.learning_rate=0.01, batch_size=32"
            )
        if name in point:
            raise SpaceError(f"{source} has each parameter once; received {name} twice")
        point[name], _, problems = parse_yaml(value, f"{source} {name}")
        raise_problems([Problem((), own.text, own.source) for own in problems], SpaceError)
    return point


def fitted_points(space: Space, points: Sequence[Point]) -> tuple[Point, ...]:
    """Each as `fitted_point`."""
    return tuple(fitted_point(space, point) for point in points)


def fitted_point(space: Space, values: Mapping[str, Any]) -> dict[str, Value]:
    """The values of varying parameters among `values`, each of its parameter's kind.

    What is missing is left open. Fixed parameters may be repeated. Raises SpaceError for a name
    that the space does not have, a value that it does not allow, and a parameter that would not
    be part of the trial, or not surely: the parameter that decides has to be in the point, too.
    """
    shown = ", ".join(f"{name}={show(value)}" for name, value in values.items())

    def refused(text: str) -> SpaceError:
        return SpaceError(f"the point {quoted(shown)} is none of the space {space.name}: {text}")

    for name in values:
        if name not in space.params:
            raise refused(unknown("parameter", name, space.params))
    decided: dict[str, Value] = {}
    undecided: set[str] = set()
    for name in space._activity.order:
        parameter, conditions = space.params[name], space.conditions.get(name, ())
        known = [own for own in conditions if own.parent not in undecided]
        failing = [own for own in known if not own.holds(decided)]
        unsure = [own for own in conditions if own.parent in undecided]
        if name in values and (failing or unsure):
            needs = _named((failing or unsure)[0])
            why = "" if failing else ", which it leaves open"
            raise refused(f"{name} needs {needs}{why}")
        if failing:
            continue
        if unsure or (name not in values and parameter.varies):
            undecided.add(name)
        elif name not in values:
            decided[name] = parameter.points()[0]  # type: ignore[index]
        else:
            try:
                fit = fit_value(space.info(name), values[name])
            except ValueError as error:
                raise refused(f"{name} {error}") from None
            if not parameter.takes(fit):
                raise refused(f"{name} must be one of {parameter.describe()}; got {show(fit)}")
            decided[name] = fit
    return {name: decided[name] for name in values if space.params[name].varies}


def default_point(space: Space) -> dict[str, Value]:
    """The `default`s of a space, together one point; empty if it has none.

    What has no default is left open, and with it what depends on that.
    """
    decided: dict[str, Value] = {}
    undecided: set[str] = set()
    for name in space._activity.order:
        parameter, conditions = space.params[name], space.conditions.get(name, ())
        value = parameter.default if isinstance(parameter, Varying) else parameter.points()[0]  # type: ignore[index]
        if any(own.parent in undecided for own in conditions):
            undecided.add(name)
        elif all(own.holds(decided) for own in conditions):
            if parameter.varies and value is None:
                undecided.add(name)
            else:
                decided[name] = value
    return {
        name: decided[name]
        for name in space.params
        if name in decided and space.params[name].varies
    }


def _named(condition: Condition) -> str:
    return f"{condition.parent} to be {', '.join(map(word, condition.allowed))}"
