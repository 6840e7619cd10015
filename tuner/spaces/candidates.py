"""Grid and random candidates in the forms of scikit-learn's ParameterGrid and ParameterSampler.

Both take a list of dictionaries, which is how conditions are told to them: there is one
dictionary for every combination of values of those parameters that others depend on, in file
order with the last one changing fastest, and it holds only what is active in that combination.
Without conditions that is a single dictionary. Fixed parameters are left out
(`Space.complete` adds them). Inside a dictionary the keys stand in file order; ParameterGrid
itself goes through them sorted by name, the last name changing fastest.
"""

import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

from tuner.errors import SpaceError
from tuner.parameters import Value
from tuner.spaces.conditions import Activity
from tuner.spaces.parameter import MOST_POINTS

#: More dictionaries than this are refused.
MOST_COMBINATIONS = 10_000


def grid(activity: Activity) -> list[dict[str, list[Value]]]:
    """The argument of ParameterGrid. Raises SpaceError if a parameter has no finite steps, or
    more than `MOST_POINTS`."""
    lists: dict[str, list[Value]] = {}
    endless = []
    for name, parameter in activity.params.items():
        points = parameter.points()
        if points is None:
            endless.append(f"{name} ({parameter.describe()})")
        elif len(points) > MOST_POINTS:
            raise SpaceError(
                f"a grid may have at most {MOST_POINTS} values of one parameter; {name} has "
                f"{len(points)}; give it a step"
            )
        elif parameter.varies:
            lists[name] = list(points)
    if endless:
        raise SpaceError(
            "a grid needs finite steps: give a step, values or choices to "
            f"{', '.join(endless)}, or choose another sampler"
        )
    return _by_combination(activity, lists)


def random(activity: Activity) -> list[dict[str, Any]]:
    """The argument of ParameterSampler: lists, and frozen distributions of scipy.stats.

    ParameterSampler picks a dictionary evenly, then draws each parameter. If all of them are
    lists it draws without replacement from their grid. Raises SpaceError if the parameters that
    others depend on have too many combinations.
    """
    drawn = {n: p.to_sklearn() for n, p in activity.params.items() if p.varies}
    return _by_combination(activity, drawn)


def size(activity: Activity) -> int | None:
    """The number of points of the grid, or None if a parameter has no finite steps."""
    counts: dict[str, int] = {}
    for name, parameter in activity.params.items():
        points = parameter.points()
        if points is None:
            return None
        counts[name] = len(points)
    return sum(
        math.prod(counts[name] for name in active if name not in chosen)
        for chosen, active in _combinations(activity)
    )


def _by_combination(activity: Activity, varying: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each combination, what varies in it; a parameter that others depend on has one value."""
    return [
        {
            name: [chosen[name]] if name in chosen else varying[name]
            for name in active
            if name in varying
        }
        for chosen, active in _combinations(activity)
    ]


def _combinations(activity: Activity) -> list[tuple[dict[str, Value], list[str]]]:
    """Every combination of the parameters that others depend on, with the names of all that is
    active in it, in file order."""
    parents = {c.parent for conditions in activity.conditions.values() for c in conditions}
    deciding = [name for name in activity.order if name in parents]
    found: list[dict[str, Value]] = [{}]
    for name in deciding:
        points = activity.params[name].points() or ()
        wider = (
            {**values, name: point} if active else values
            for values in found
            for active in [activity.active(name, values)]
            for point in (points if active else [None])
        )
        found = list(islice(wider, MOST_COMBINATIONS + 1))
        if len(found) > MOST_COMBINATIONS:
            raise SpaceError(
                f"the parameters that others depend on ({', '.join(deciding)}) have more than "
                f"{MOST_COMBINATIONS} combinations"
            )
    return [
        (chosen, [name for name in activity.params if activity.active(name, chosen)])
        for chosen in found
    ]
