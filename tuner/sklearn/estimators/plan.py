"""The constructor's parameters to a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from tuner.data.dataset import Task
from tuner.errors import PlanError
from tuner.parameters import MOST_LAYERS, checked
from tuner.planning.losses import require_classes
from tuner.planning.plan import TrainingPlan
from tuner.planning.planner import plan_training
from tuner.sklearn.estimators.class_weight import weights_of_classes
from tuner.sklearn.estimators.errors import EstimatorError
from tuner.sklearn.estimators.parameters import FLAT, NEEDED, PARAMETERS
from tuner.spaces.catalogue import CATALOGUE, KINDS, settings_of
from tuner.text import quoted


def plan_of(
    estimator: BaseEstimator,
    *,
    features: int,
    outputs: int,
    task: Task,
    classes: NDArray[Any] | None = None,
    numbers: Sequence[int] | None = None,
) -> TrainingPlan:
    """What the estimator trains, on data of that shape, task and `classes`: the labels in the
    order of their numbers.

    A schedule's or an embedding's setting that is None has its default, an optimizer's Keras's.
    `numbers` as of `plan_training`.

    Raises:
        EstimatorError: (a ValueError) for a value outside its limits, None where it means
            nothing, a setting that the chosen optimizer, schedule, embedding or loss does not
            have, and values that exclude each other. The message speaks of the constructor's names.
    """
    values = estimator.get_params(deep=False)
    for flat, default in NEEDED.items():
        if values[flat] is None:
            raise EstimatorError(f"{flat} needs a value; got None. Its default is {default!r}")
    given = {flat: plain(values[flat]) for flat in PARAMETERS if values[flat] is not None}
    params: dict[str, Any] = {PARAMETERS[flat]: value for flat, value in given.items()}
    params |= _sizes(values["hidden_layer_sizes"])
    of_labels = params.get("loss.class_weight")
    if isinstance(of_labels, Mapping):
        del params["loss.class_weight"]
    try:
        for group in (*KINDS, "weight_averaging"):
            _check_settings(group, params, given)
        plan = plan_training(params, features=features, outputs=outputs, task=task, numbers=numbers)
        if isinstance(of_labels, Mapping):
            require_classes(of_labels, task)
            assert classes is not None
            weights = weights_of_classes(of_labels, classes.tolist())
            plan = replace(plan, loss=replace(plan.loss, class_weight=weights))
        return plan
    except PlanError as error:
        raise EstimatorError(_in_flat_names(str(error))) from None


def _sizes(hidden_layer_sizes: object) -> dict[str, Any]:
    """The catalogue's sizes out of one whole number, or a sequence of them.

    Raises EstimatorError for anything else.
    """
    given = plain(hidden_layer_sizes)
    several = isinstance(given, Sequence) and not isinstance(given, str)
    sizes: Any = given if several else (given,)
    for width in sizes:
        whole = isinstance(width, Integral) and not isinstance(width, bool)
        if not whole or not CATALOGUE["model.units"].contains(width) or len(sizes) > MOST_LAYERS:
            raise EstimatorError(
                f"hidden_layer_sizes must be {CATALOGUE['model.units'].rule}, or a sequence of at "
                f"most {MOST_LAYERS} such, one a layer, empty for no hidden layer; got "
                f"{quoted(hidden_layer_sizes)}"
            )
    if len(sizes) == 0:
        return {"model.layers": 0}
    return {"model.units": "-".join(str(int(width)) for width in sizes)}


def _check_settings(group: str, params: Mapping[str, Any], given: Mapping[str, object]) -> None:
    """Refuse a setting that the chosen kind of the `group` does not have."""
    chosen = checked(CATALOGUE[group], params.get(group, CATALOGUE[group].default))
    available = [FLAT[name] for name in settings_of(group, chosen) if name in FLAT]
    for flat, value in given.items():
        if PARAMETERS[flat].startswith(f"{group}.") and flat not in available:
            raise EstimatorError(
                f"{group} {quoted(chosen)} has no setting {flat}; got {flat}={quoted(value)}. "
                f"Available: {', '.join(available) or 'none'}"
            )


def _in_flat_names(message: str) -> str:
    for dotted in sorted(FLAT, key=len, reverse=True):
        if "." in dotted:
            message = message.replace(dotted, FLAT[dotted])
    return message


def plain(value: Any) -> Any:
    """Python's own number for NumPy's, as samplers of candidates draw them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
