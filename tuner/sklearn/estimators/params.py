"""Constructor parameters to a plan: the only place that knows both kinds of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from types import MappingProxyType
from typing import Any, Protocol, cast

import numpy as np

from tuner.data.dataset import Task
from tuner.errors import PlanError
from tuner.optimizers import OPTIMIZERS
from tuner.parameters import ParameterInfo, checked
from tuner.planning.plan import TrainingPlan
from tuner.planning.planner import plan_training
from tuner.schedules import SCHEDULES
from tuner.sklearn.estimators.errors import EstimatorError
from tuner.spaces.catalogue import CATALOGUE, settings_of

#: Catalogue names whose last part would be taken twice or say too little by itself.
_RENAMED = {
    "schedule.per": "decay_per",
    "schedule.every": "drop_every",
    "schedule.factor": "plateau_factor",
    "schedule.patience": "plateau_patience",
    "schedule.min_delta": "plateau_min_delta",
    "schedule.min_rate": "plateau_min_rate",
    "schedule.cooldown": "plateau_cooldown",
}
#: `hidden_layer_sizes` says both.
_SIZES = ("model.layers", "model.units")


def _of_another_package(info: ParameterInfo) -> bool:
    """Whether only schedules or optimizers of other packages have this setting."""
    kinds = {"optimizer": OPTIMIZERS.own, "schedule": SCHEDULES.own}
    tied = info.only_with.get(info.section, ())
    return bool(tied) and not set(tied) & set(kinds.get(info.section, tied))


#: Constructor parameter -> catalogue name: all of the catalogue but the sizes of layers. The
#: constructor is written out, and has no settings of other packages.
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        _RENAMED.get(name, name.split(".")[-1]): name
        for name, info in CATALOGUE.items()
        if name not in _SIZES and not _of_another_package(info)
    }
)
_FLAT = {dotted: flat for flat, dotted in PARAMETERS.items()}


class HasParams(Protocol):
    def get_params(self, deep: bool = True) -> dict[str, Any]: ...


def plan_of(estimator: HasParams, *, features: int, outputs: int, task: Task) -> TrainingPlan:
    """What the estimator trains, on data of that shape and task.

    A parameter that is None has its default, an optimizer's settings Keras's.

    Raises:
        EstimatorError: (a ValueError) for a value outside its limits, a setting that the chosen
            optimizer, schedule or loss does not have, and values that exclude each other. The
            message speaks of the constructor's names.
    """
    values = estimator.get_params(deep=False)
    given = {flat: _plain(values[flat]) for flat in PARAMETERS if values[flat] is not None}
    params: dict[str, Any] = {PARAMETERS[flat]: value for flat, value in given.items()}
    params |= _sizes(values["hidden_layer_sizes"])
    try:
        _check_settings("optimizer", params, given)
        _check_settings("schedule", params, given)
        return plan_training(params, features=features, outputs=outputs, task=task)
    except PlanError as error:
        raise EstimatorError(_in_flat_names(str(error))) from None


def layer_sizes(hidden_layer_sizes: object) -> tuple[int, ...]:
    """The widths of the hidden layers out of one whole number, or a sequence of them.

    Raises EstimatorError for anything else.
    """
    listed = (
        hidden_layer_sizes
        if isinstance(hidden_layer_sizes, Sequence | np.ndarray)
        and not isinstance(hidden_layer_sizes, str)
        else (hidden_layer_sizes,)
    )
    for width in listed:
        if not isinstance(width, Integral) or isinstance(width, bool) or width < 1:
            raise EstimatorError(
                "hidden_layer_sizes must be a whole number at least 1, or a sequence of such, one "
                f"a layer, empty for no hidden layer; got {hidden_layer_sizes!r}"
            )
    return tuple(int(cast("int", width)) for width in listed)


def _sizes(hidden_layer_sizes: object) -> dict[str, Any]:
    sizes = layer_sizes(hidden_layer_sizes)
    if not sizes:
        return {"model.layers": 0}
    return {"model.units": "-".join(str(width) for width in sizes)}


def _check_settings(group: str, params: Mapping[str, Any], given: Mapping[str, object]) -> None:
    """Refuse a setting that the chosen optimizer or schedule does not have."""
    chosen = checked(CATALOGUE[group], params.get(group, CATALOGUE[group].default))
    available = [_FLAT[name] for name in settings_of(group, chosen) if name in _FLAT]
    for flat, value in given.items():
        if PARAMETERS[flat].startswith(f"{group}.") and flat not in available:
            raise EstimatorError(
                f"{group} {chosen!r} has no setting {flat}; got {flat}={value!r}. "
                f"Available: {', '.join(available)}"
            )


def _in_flat_names(message: str) -> str:
    for dotted in sorted(_FLAT, key=len, reverse=True):
        if "." in dotted:
            message = message.replace(dotted, _FLAT[dotted])
    return message


def _plain(value: Any) -> Any:
    """Python's own number for NumPy's, as samplers of candidates draw them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
