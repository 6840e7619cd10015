"""Parameters that exclude or need each other whatever their values are."""

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from tuner.optimizers import CLIPPING, OPTIMIZERS
from tuner.parameters import word
from tuner.spaces.conditions import Activity
from tuner.spaces.explain import Problem
from tuner.spaces.forms import Fixed
from tuner.spaces.parameter import Parameter

BOUNDARIES, FACTORS = "schedule.boundaries", "schedule.factors"


def exclusion_problems(activity: Activity, broken: Collection[str] = ()) -> list[Problem]:
    """What is wrong between the parameters of a space; paths begin with a parameter's name.

    `broken` names those that are not in `params` because of their own problems.
    """
    params = activity.params
    return [
        *_optimizers(params),
        *_layers(params),
        *_clipping(activity),
        *_piecewise(params, broken),
    ]


def gives_widths(params: Mapping[str, Parameter]) -> bool:
    """Whether `model.units` is text such as 64-32, which counts the layers itself."""
    units = params.get("model.units")
    points = None if units is None else units.points()
    return bool(points) and isinstance(points[0], str)  # type: ignore[index]


def _optimizers(params: Mapping[str, Parameter]) -> Iterator[Problem]:
    """Those that the installed Keras does not have."""
    if (optimizer := params.get("optimizer")) is None:
        return
    for name, kind in OPTIMIZERS.items():
        if optimizer.takes(name) and (lacking := kind.lacking()):
            yield Problem(("optimizer",), lacking)


def _layers(params: Mapping[str, Parameter]) -> Iterator[Problem]:
    if "model.layers" in params and gives_widths(params):
        yield Problem(
            ("model.layers",),
            f"must be left out, since model.units ({params['model.units'].describe()}) gives a "
            f"width for each layer; got {params['model.layers'].describe()}",
        )


def _clipping(activity: Activity) -> Iterator[Problem]:
    """Keras clips in one way. Ways with conditions of their own may exclude each other, and a
    trial finds out."""
    used = [
        name
        for name in (f"optimizer.{clip}" for clip in CLIPPING)
        if name in activity.params
        and name not in activity.conditions
        and activity.params[name].points() not in ([None], (None,))
    ]
    for name in used[1:]:
        yield Problem((name,), f"gradients are clipped in one way only; got {used[0]} too")


def _piecewise(params: Mapping[str, Parameter], broken: Collection[str]) -> Iterator[Problem]:
    schedule = params.get("schedule")
    if schedule is None or not schedule.takes("piecewise"):
        return
    lists = {}
    for name in (BOUNDARIES, FACTORS):
        parameter = params.get(name)
        if isinstance(parameter, Fixed) and parameter.value is not None:
            lists[name] = parameter.value
        elif name not in broken:
            yield Problem(("schedule",), f"piecewise needs {name}, such as [10, 15]; got none")
    if len(lists) < 2:
        return
    boundaries, factors = lists[BOUNDARIES], lists[FACTORS]
    if len(boundaries) != len(factors):
        yield Problem(
            (FACTORS,),
            f"must be as many as {BOUNDARIES} ({word(boundaries)}); got {word(factors)}",
        )
    if any(a >= b for a, b in pairwise(boundaries)):
        yield Problem((BOUNDARIES,), f"must rise; got {word(boundaries)}")
