"""Which settings each Keras optimizer has, and Keras's default values for them."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.errors import PlanError
from tuner.planning.plan import OptimizerPlan
from tuner.planning.values import choice, flag, number
from tuner.spaces.catalogue import CATALOGUE

Setting = float | bool

_ADAM: dict[str, Setting] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}

#: Optimizer -> its own settings with Keras's defaults (a test compares them with Keras).
OPTIMIZERS: Mapping[str, Mapping[str, Setting]] = {
    "sgd": {"momentum": 0.0, "nesterov": False},
    "rmsprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "adam": {**_ADAM, "amsgrad": False},
    "adamw": {**_ADAM, "amsgrad": False, "weight_decay": 0.004},
    "nadam": _ADAM,
    "adamax": _ADAM,
    "adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "adadelta": {"rho": 0.95, "epsilon": 1e-7},
    "ftrl": {
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
        "l2_regularization_strength": 0.0,
        "l2_shrinkage_regularization_strength": 0.0,
        "beta": 0.0,
    },
    "lion": {"beta_1": 0.9, "beta_2": 0.99},
}

#: What every optimizer takes and none has unless it is given (AdamW has a weight decay anyway).
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
COMMON = ("weight_decay", *CLIPPING)


def optimizer_settings(name: str) -> tuple[str, ...]:
    """Every setting that the optimizer `name` takes besides its learning rate."""
    return tuple(dict.fromkeys([*OPTIMIZERS[name], *COMMON]))


def plan_optimizer(name: object, given: Mapping[str, object]) -> OptimizerPlan:
    """The optimizer with the `given` settings, all its others as in Keras, sorted by name.

    Raises PlanError for an unknown optimizer, a setting that it does not have, a value outside
    its limits, and more than one kind of clipping.
    """
    name = choice("optimizer", name)
    settings: dict[str, Setting] = dict(OPTIMIZERS[name])
    available = optimizer_settings(name)
    for key, value in given.items():
        if key not in available:
            raise PlanError(
                f"optimizer {name!r} has no setting {key!r}; got optimizer.{key}: {value!r}. "
                f"Available: {', '.join(available)}. In a space, `when` ties a setting to the "
                "optimizers that have it"
            )
        parameter = f"optimizer.{key}"
        is_flag = CATALOGUE[parameter].kind == "bool"
        settings[key] = flag(parameter, value) if is_flag else number(parameter, value)
    clipping = [key for key in CLIPPING if key in settings]
    if len(clipping) > 1:
        raise PlanError(
            f"gradients can be clipped in one way only; got {' and '.join(clipping)}. "
            f"Available: one of {', '.join(CLIPPING)}"
        )
    return OptimizerPlan(name, tuple(sorted(settings.items())))
