"""What was given to Keras's former wrappers for scikit-learn, and to scikeras, and where it goes
here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_HERE = "{name} is a parameter of the constructor: {kind}({name}=...)"
_LAYERS = (
    "the network is built from parameters (hidden_layer_sizes, activation, dropout, ...), not by "
    "a function. A network of one's own is searched by tuner.optimize(build, ...)"
)
_HELD_OUT = "patience= of the constructor holds out validation_fraction of the rows"
#: Of `__init__`.
OF_THE_CONSTRUCTOR: Mapping[str, str] = MappingProxyType({"model": _LAYERS, "build_fn": _LAYERS})
#: Of `fit` and `partial_fit`.
OF_FIT: Mapping[str, str] = MappingProxyType(
    {
        "epochs": _HERE,
        "batch_size": _HERE,
        "verbose": _HERE,
        "class_weight": _HERE,
        "validation_data": _HELD_OUT,
        "validation_split": _HELD_OUT,
        "callbacks": "scikit-learn's callbacks are set by set_callbacks(...); patience= of the "
        "constructor ends a training early",
        "initial_epoch": "warm_start=True of the constructor goes on from the last fit",
    }
)


def hints(places: Mapping[str, str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a method: one of `places`' arguments is a TypeError that says where it goes."""

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def told(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name in places:
                    where = places[name].format(name=name, kind=type(args[0]).__name__)
                    raise TypeError(f"{method.__name__}() has no argument {name}; {where}")
            return method(*args, **kwargs)

        return told

    return decorate
