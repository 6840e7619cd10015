"""Parameters that exclude or need each other whatever their values are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from tuner.optimizers import CLIPPING
from tuner.parameters.words import word
from tuner.spaces.conditions import Activity
from tuner.spaces.explain import Fault
from tuner.spaces.forms import Fixed
from tuner.spaces.parameter import Parameter

BOUNDARIES, FACTORS = "schedule.boundaries", "schedule.factors"


def exclusion_faults(activity: Activity, broken: Collection[str] = ()) -> list[Fault]:
    """What is wrong between the parameters of a space; paths begin with a parameter's name.

    `broken` names those that are not in `params` because of their own faults.
    """
    params = activity.params
    return [*_layers(params), *_clipping(activity), *_piecewise(params, broken)]


def gives_widths(params: Mapping[str, Parameter]) -> bool:
    """Whether `model.units` is text such as 64-32, which counts the layers itself."""
    units = params.get("model.units")
    points = None if units is None else units.points()
    return bool(points) and isinstance(points[0], str)  # type: ignore[index]


def _layers(params: Mapping[str, Parameter]) -> Iterator[Fault]:
    if "model.layers" in params and gives_widths(params):
        yield Fault(
            ("model.layers",),
            f"must be left out, since model.units ({params['model.units'].describe()}) gives a "
            f"width for each layer; got {params['model.layers'].describe()}",
        )


def _clipping(activity: Activity) -> Iterator[Fault]:
    """Keras clips in one way. Ways with conditions of their own may exclude each other, and a
    trial finds out."""
    used = [
        name
        for name in (f"optimizer.{clip}" for clip in CLIPPING)
        if name in activity.params
        and name not in activity.conditions
        and _can_be_set(activity.params[name])
    ]
    for name in used[1:]:
        yield Fault((name,), f"gradients are clipped in one way only; got {used[0]} too")


def _can_be_set(parameter: Parameter) -> bool:
    points = parameter.points()
    return points is None or any(point is not None for point in points)


def _piecewise(params: Mapping[str, Parameter], broken: Collection[str]) -> Iterator[Fault]:
    schedule = params.get("schedule")
    if schedule is None or not schedule.takes("piecewise"):
        return
    lists = {}
    for name in (BOUNDARIES, FACTORS):
        parameter = params.get(name)
        if isinstance(parameter, Fixed) and parameter.value is not None:
            lists[name] = parameter.value
        elif name not in broken:
            yield Fault(("schedule",), f"piecewise needs {name}, such as [10, 15]; got none")
    if len(lists) < 2:
        return
    boundaries, factors = lists[BOUNDARIES], lists[FACTORS]
    if len(boundaries) != len(factors):
        yield Fault(
            (FACTORS,),
            f"must be as many as {BOUNDARIES} ({word(boundaries)}); got {word(factors)}",
        )
    if any(a >= b for a, b in pairwise(boundaries)):
        yield Fault((BOUNDARIES,), f"must rise; got {word(boundaries)}")
