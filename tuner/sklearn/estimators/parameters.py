"""The estimators' constructor, and its parameters to a plan: the only place that knows both kinds
of names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from tuner.data.dataset import Task
from tuner.errors import PlanError
from tuner.optimizers import OPTIMIZERS
from tuner.parameters import MOST_LAYERS, ParameterInfo, checked
from tuner.planning.losses import require_classes
from tuner.planning.plan import TrainingPlan
from tuner.planning.planner import plan_training
from tuner.schedules import SCHEDULES
from tuner.sklearn.estimators.class_weight import weights_of_classes
from tuner.sklearn.estimators.errors import EstimatorError
from tuner.sklearn.estimators.former import OF_THE_CONSTRUCTOR, hints
from tuner.spaces.catalogue import CATALOGUE, settings_of
from tuner.text import quoted

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
SIZES = ("model.layers", "model.units")


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
        if name not in SIZES and not _of_another_package(info)
    }
)
#: The inverse.
FLAT = {dotted: flat for flat, dotted in PARAMETERS.items()}


class KerasMLPParameters(BaseEstimator):
    """What both estimators may be given, stored as it is; `fit` checks it. None leaves a setting to
    Keras (an optimizer's) or to the catalogue (a schedule's); `described()` has all in words."""

    validation_fraction: float
    categorical_features: str | Sequence[str | int | bool] | None
    random_state: int | np.random.RandomState | None
    warm_start: bool
    verbose: bool

    @hints(OF_THE_CONSTRUCTOR)
    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64, 64),
        activation: str = "relu",
        *,
        dropout: float = 0.0,
        dropout_schedule: str = "constant",
        batch_norm: bool = False,
        l1: float = 0.0,
        l2: float = 0.0,
        initializer: str = "glorot_uniform",
        optimizer: str = "adam",
        learning_rate: float = 0.001,
        momentum: float | None = None,
        nesterov: bool | None = None,
        rho: float | None = None,
        beta_1: float | None = None,
        beta_2: float | None = None,
        epsilon: float | None = None,
        amsgrad: bool | None = None,
        centered: bool | None = None,
        initial_accumulator_value: float | None = None,
        learning_rate_power: float | None = None,
        l1_regularization_strength: float | None = None,
        l2_regularization_strength: float | None = None,
        l2_shrinkage_regularization_strength: float | None = None,
        beta: float | None = None,
        beta_2_decay: float | None = None,
        epsilon_1: float | None = None,
        epsilon_2: float | None = None,
        clip_threshold: float | None = None,
        adam_beta_1: float | None = None,
        adam_beta_2: float | None = None,
        adam_weight_decay: float | None = None,
        adam_lr_ratio: float | None = None,
        ns_steps: int | None = None,
        muon_a: float | None = None,
        muon_b: float | None = None,
        muon_c: float | None = None,
        rms_rate: float | None = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        weight_decay_schedule: str = "constant",
        schedule: str = "constant",
        decay_per: str | None = None,
        decay: float | None = None,
        drop: float | None = None,
        drop_every: int | None = None,
        boundaries: Sequence[float] | None = None,
        factors: Sequence[float] | None = None,
        power: float | None = None,
        end_rate: float | None = None,
        restart_every: int | None = None,
        restarts: int | None = None,
        cycle_mult: float | None = None,
        peak: float | None = None,
        warmup: int = 0,
        plateau_factor: float | None = None,
        plateau_patience: int | None = None,
        plateau_min_delta: float | None = None,
        plateau_min_rate: float | None = None,
        plateau_cooldown: int | None = None,
        batch_size: int = 32,
        epochs: int = 20,
        loss: str = "auto",
        label_smoothing: float = 0.0,
        label_smoothing_schedule: str = "constant",
        class_weight: str | Mapping[Any, float] | None = None,
        delta: float | None = None,
        patience: int | None = None,
        min_delta: float = 0.0,
        validation_fraction: float = 0.1,
        categorical_features: str | Sequence[str | int | bool] | None = None,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        verbose: bool = False,
    ) -> None:
        given = dict(locals())
        del given["self"]
        self.__dict__.update(given)


def plan_of(
    estimator: BaseEstimator,
    *,
    features: int,
    outputs: int,
    task: Task,
    classes: NDArray[Any] | None = None,
) -> TrainingPlan:
    """What the estimator trains, on data of that shape, task and `classes`: the labels in the
    order of their numbers.

    A schedule's setting that is None has its default, an optimizer's Keras's.

    Raises:
        EstimatorError: (a ValueError) for a value outside its limits, None where it means
            nothing, a setting that the chosen optimizer, schedule or loss does not have, and
            values that exclude each other. The message speaks of the constructor's names.
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
        _check_settings("optimizer", params, given)
        _check_settings("schedule", params, given)
        plan = plan_training(params, features=features, outputs=outputs, task=task)
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
    """Refuse a setting that the chosen optimizer or schedule does not have."""
    chosen = checked(CATALOGUE[group], params.get(group, CATALOGUE[group].default))
    available = [FLAT[name] for name in settings_of(group, chosen) if name in FLAT]
    for flat, value in given.items():
        if PARAMETERS[flat].startswith(f"{group}.") and flat not in available:
            raise EstimatorError(
                f"{group} {quoted(chosen)} has no setting {flat}; got {flat}={quoted(value)}. "
                f"Available: {', '.join(available)}"
            )


def _in_flat_names(message: str) -> str:
    for dotted in sorted(FLAT, key=len, reverse=True):
        if "." in dotted:
            message = message.replace(dotted, FLAT[dotted])
    return message


#: Parameters that must not be None, and their defaults: those whose default is not None.
NEEDED: Mapping[str, Any] = MappingProxyType(
    {
        name: own.default
        for name, own in inspect.signature(KerasMLPParameters).parameters.items()
        if own.default is not None
    }
)


def plain(value: Any) -> Any:
    """Python's own number for NumPy's, as samplers of candidates draw them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
