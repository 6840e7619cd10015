"""Grid and random candidates in the forms of scikit-learn's ParameterGrid and ParameterSampler.

Both take a list of dictionaries, which is how conditions are told to them: there is one
dictionary for every combination of values of those parameters that others depend on, in file
order with the last one changing fastest, and it holds only what is active in that combination.
Without conditions that is a single dictionary. Fixed parameters are left out
(`Space.complete` adds them). Inside a dictionary the keys stand in file order; ParameterGrid
itself goes through them sorted by name, the last name changing fastest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tuner.errors import SpaceError
from tuner.parameters.info import Value
from tuner.spaces.parameter import MOST_POINTS

if TYPE_CHECKING:
    from tuner.spaces.space import Space

#: More dictionaries than this are refused.
MOST_COMBINATIONS = 10_000


def grid(space: Space) -> list[dict[str, list[Value]]]:
    """The argument of ParameterGrid. Raises SpaceError where a parameter has no finite steps, or
    more than `MOST_POINTS`."""
    lists: dict[str, list[Value]] = {}
    endless = []
    for name, parameter in space.params.items():
        points = parameter.points()
        if points is None:
            endless.append(f"{name} ({parameter.describe()})")
        elif len(points) > MOST_POINTS:
            raise SpaceError(
                f"space {space.name}: a grid may have at most {MOST_POINTS} values of one "
                f"parameter; {name} has {len(points)}; give it a step"
            )
        elif parameter.varies:
            lists[name] = list(points)
    if endless:
        raise SpaceError(
            f"space {space.name}: a grid needs finite steps: give a step, values or choices to "
            f"{', '.join(endless)}, or choose another sampler"
        )
    return [
        {
            name: [chosen[name]] if name in chosen else lists[name]
            for name in active
            if name in lists
        }
        for chosen, active in combinations(space)
    ]


def random(space: Space) -> list[dict[str, Any]]:
    """The argument of ParameterSampler: lists, and frozen distributions of scipy.stats.

    ParameterSampler picks a dictionary evenly, then draws each parameter. Where all of them are
    lists it draws without replacement from their grid. Raises SpaceError where the parameters
    that others depend on have too many combinations.
    """
    drawn = {n: p.to_sklearn() for n, p in space.params.items() if p.varies}
    return [
        {
            name: [chosen[name]] if name in chosen else drawn[name]
            for name in active
            if name in drawn
        }
        for chosen, active in combinations(space)
    ]


def size(space: Space) -> int | None:
    """The number of points of the grid, or None where a parameter has no finite steps."""
    counts: dict[str, int] = {}
    for name, parameter in space.params.items():
        points = parameter.points()
        if points is None:
            return None
        counts[name] = len(points)
    return sum(
        math.prod(counts[name] for name in active if name not in chosen)
        for chosen, active in combinations(space)
    )


def combinations(space: Space) -> list[tuple[dict[str, Value], list[str]]]:
    """Every combination of the parameters that others depend on, with the names of all that is
    active in it, in file order."""
    parents = {c.parent for conditions in space.conditions.values() for c in conditions}
    deciding = [name for name in space.order if name in parents]

    def choose(position: int, values: dict[str, Value]) -> Iterator[dict[str, Value]]:
        if position == len(deciding):
            yield values
            return
        name = deciding[position]
        if not space.active(name, values):
            yield from choose(position + 1, values)
            return
        for value in space.params[name].points() or ():
            yield from choose(position + 1, {**values, name: value})

    found: list[tuple[dict[str, Value], list[str]]] = []
    for chosen in choose(0, {}):
        if len(found) == MOST_COMBINATIONS:
            raise SpaceError(
                f"space {space.name}: the parameters that others depend on "
                f"({', '.join(deciding)}) have more than {MOST_COMBINATIONS} combinations"
            )
        found.append((chosen, [name for name in space.params if space.active(name, chosen)]))
    return found
