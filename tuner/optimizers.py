"""Keras's optimizers: which settings each has, and what builds its form for a stack.

Keras itself is imported by `tuner.training.optimizers` alone.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from tuner.parameters import ParameterInfo, setting, setting_as, settings_of
from tuner.registry import Registry

LEARNING_RATE = ParameterInfo(
    "optimizer.learning_rate", "float", 0.001, "Base learning rate (lr0).", above=0
)
#: A gradient is clipped in one way only.
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")

MOMENTUM = setting(0.0, "Share of the last update that is kept.", low=0, high=1)
RHO = setting(0.9, "Decay of the mean of squared gradients.", low=0, below=1)
BETA_1 = setting(0.9, "Decay of the mean of gradients.", low=0, below=1)
BETA_2 = setting(0.999, "Decay of the mean of squared gradients.", low=0, below=1)
EPSILON = setting(1e-7, "Added to denominators against division by zero.", above=0)
ACCUMULATOR = setting(0.1, "Accumulators before step 0.", low=0)
WEIGHT_DECAY = setting(None, "Decoupled weight decay.", low=0)


@dataclass(frozen=True)
class Optimizer:
    """One of Keras's optimizers: its class there has the same name, and a space calls it by that
    in lower case. The docstring of a subclass is its line for people. Its fields are its settings
    besides the learning rate, with Keras's defaults; None: not set unless it is given.

    Attributes:
        slots: variables of a weight's shape that it keeps beside it; `momentum`, `amsgrad` and
            `centered` add one each.
        switches: settings that choose its update rule instead of entering it as a number.
        stacked: `module:class` of its form for a stack of networks. Empty: Keras's update rule
            is elementwise in every setting, and serves as it is.
    """

    name: ClassVar[str]
    slots: ClassVar[int] = 0
    switches: ClassVar[tuple[str, ...]] = ()
    stacked: ClassVar[str] = ""

    weight_decay: float | None = WEIGHT_DECAY
    clipnorm: float | None = setting(None, "Largest norm of each weight's gradient.", above=0)
    clipvalue: float | None = setting(None, "Largest absolute gradient.", above=0)
    global_clipnorm: float | None = setting(None, "Largest norm of the whole gradient.", above=0)

    def __init_subclass__(cls) -> None:
        cls.name = cls.__name__.lower()
        dataclass(frozen=True)(cls)

    @classmethod
    def settings(cls) -> dict[str, ParameterInfo]:
        """Field -> the parameter that it is, whose default of None leaves the value to Keras."""
        infos = settings_of(cls, "optimizer")
        return {name: replace(info, default=None) for name, info in infos.items()}

    @classmethod
    def defaults(cls) -> dict[str, float | bool]:
        """Setting -> Keras's default, without those that are not set."""
        defaults: dict[str, Any] = {own.name: own.default for own in fields(cls)}
        return {name: value for name, value in defaults.items() if value is not None}


class SGD(Optimizer):
    """Gradient descent, with or without momentum."""

    stacked = "tuner.training.optimizers.rules:StackedSGD"
    momentum: float = MOMENTUM
    nesterov: bool = setting(False, "Look ahead along the momentum.")


class RMSprop(Optimizer):
    """Steps over the root of the mean of squared gradients."""

    slots = 1
    switches = ("centered",)
    stacked = "tuner.training.optimizers.rules:StackedRMSprop"
    rho: float = RHO
    momentum: float = MOMENTUM
    epsilon: float = EPSILON
    centered: bool = setting(False, "Normalise by the variance of gradients.")


class Adamax(Optimizer):
    """Adam with the largest of squared gradients for their mean."""

    slots = 2
    beta_1: float = BETA_1
    beta_2: float = BETA_2
    epsilon: float = EPSILON


class Nadam(Adamax):
    """Adam with Nesterov's momentum."""

    stacked = "tuner.training.optimizers.rules:StackedNadam"


class Adam(Adamax):
    """Means of gradients and of their squares, corrected for their start at 0."""

    switches = ("amsgrad",)
    stacked = "tuner.training.optimizers.rules:StackedAdam"
    amsgrad: bool = setting(False, "Keep the largest second moment (AMSGrad).")


class AdamW(Adam):
    """Adam with a decoupled weight decay."""

    stacked = "tuner.training.optimizers.rules:StackedAdamW"
    weight_decay: float | None = setting_as(WEIGHT_DECAY, 0.004)


class Adagrad(Optimizer):
    """Steps over the root of the sum of squared gradients."""

    slots = 1
    initial_accumulator_value: float = ACCUMULATOR
    epsilon: float = EPSILON


class Adadelta(Optimizer):
    """Steps in the measure of the steps before."""

    slots = 2
    rho: float = setting_as(RHO, 0.95)
    epsilon: float = EPSILON


class Ftrl(Optimizer):
    """Follow the regularized leader."""

    slots = 2
    learning_rate_power: float = setting(-0.5, "How fast the rate falls; 0: not at all.", high=0)
    initial_accumulator_value: float = ACCUMULATOR
    l1_regularization_strength: float = setting(0.0, "L1 penalty of Ftrl.", low=0)
    l2_regularization_strength: float = setting(0.0, "L2 penalty of Ftrl.", low=0)
    l2_shrinkage_regularization_strength: float = setting(
        0.0, "L2 penalty of Ftrl on the gradient.", low=0
    )
    beta: float = setting(0.0, "Beta of Ftrl's paper.", low=0)


class Lion(Optimizer):
    """Steps by the sign of a mean of gradients."""

    slots = 1
    beta_1: float = BETA_1
    beta_2: float = setting_as(BETA_2, 0.99)


OPTIMIZERS: Registry[type[Optimizer]] = Registry(
    "optimizer",
    "tuner.optimizers",
    [SGD, RMSprop, Adam, AdamW, Nadam, Adamax, Adagrad, Adadelta, Ftrl, Lion],
)
