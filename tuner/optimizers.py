"""Keras's optimizers: which settings each has, and what builds its form for a stack.

Keras itself is imported by `tuner.training.optimizers` alone.
"""

from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from typing import Any, ClassVar

from packaging.version import Version

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
NESTEROV = setting(False, "Look ahead along the momentum.")


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
        zero_gradients_move: whether a weight whose gradient is always 0 moves, or has a part in
            how the others of its kernel move.
        since: the first Keras that has it as it is here. Empty: any that is supported.
    """

    name: ClassVar[str]
    slots: ClassVar[int] = 0
    switches: ClassVar[tuple[str, ...]] = ()
    stacked: ClassVar[str] = ""
    zero_gradients_move: ClassVar[bool] = False
    since: ClassVar[str] = ""

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

    @classmethod
    def lacking(cls) -> str:
        """The rule and the installed Keras, if that one is too old; else empty."""
        if not cls.since or Version(found := version("keras")) >= Version(cls.since):
            return ""
        return f"optimizer {cls.name} needs Keras {cls.since} or later; got Keras {found}"


class SGD(Optimizer):
    """Gradient descent, with or without momentum."""

    stacked = "tuner.training.optimizers.rules:StackedSGD"
    momentum: float = MOMENTUM
    nesterov: bool = NESTEROV


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
    zero_gradients_move = True
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


class Lamb(Optimizer):
    """Adam's step, as long as a share of its weight's norm."""

    slots = 2
    stacked = "tuner.training.optimizers.lamb:StackedLamb"
    zero_gradients_move = True
    beta_1: float = BETA_1
    beta_2: float = BETA_2
    epsilon: float = EPSILON


class Adafactor(Optimizer):
    """Steps over the root of squared gradients' means by row and by column.

    Keras's `relative_step` is no setting here: the rate comes from a schedule, with which Keras
    does not look at it.
    """

    stacked = "tuner.training.optimizers.adafactor:StackedAdafactor"
    zero_gradients_move = True
    beta_2_decay: float = setting(-0.8, "Power of the step by which beta_2 nears 1.", high=0)
    epsilon_1: float = setting(1e-30, "Added to squared gradients.", above=0)
    epsilon_2: float = setting(1e-3, "Least scale of a weight, by which its step is long.", low=0)
    clip_threshold: float = setting(1.0, "Root mean square from which a step is cut.", above=0)


class Muon(Optimizer):
    """Momentum made orthogonal for kernels; Adam for all else.

    Kernels and what is not one are told apart as Keras does it, by rank; `exclude_layers` and
    `exclude_embeddings` are none of the settings. Keras had another rule by this name before 3.13.
    """

    stacked = "tuner.training.optimizers.muon:StackedMuon"
    switches = ("ns_steps",)
    zero_gradients_move = True
    since = "3.13"
    adam_beta_1: float = setting(0.9, "beta_1 of Muon's Adam.", low=0, below=1)
    adam_beta_2: float = setting(0.999, "beta_2 of Muon's Adam.", low=0, below=1)
    adam_weight_decay: float = setting(0.004, "Decoupled weight decay of Muon's Adam.", low=0)
    adam_lr_ratio: float = setting(1.0, "Learning rate of Muon's Adam, in rates.", above=0)
    epsilon: float = EPSILON
    weight_decay: float | None = setting_as(WEIGHT_DECAY, 0.004)
    momentum: float = setting_as(MOMENTUM, 0.95)
    nesterov: bool = setting_as(NESTEROV, True)
    ns_steps: int = setting(5, "Newton-Schulz iterations.", low=1, high=100)
    muon_a: float = setting(3.4445, "Factor of x in a Newton-Schulz iteration.")
    muon_b: float = setting(-4.775, "Factor of its third power.")
    muon_c: float = setting(2.0315, "Factor of its fifth power.")
    rms_rate: float = setting(0.2, "Root mean square of an orthogonal step, in rates.", above=0)


OPTIMIZERS: Registry[type[Optimizer]] = Registry(
    "optimizer",
    "tuner.optimizers",
    [
        SGD,
        RMSprop,
        Adam,
        AdamW,
        Nadam,
        Adamax,
        Adagrad,
        Adadelta,
        Ftrl,
        Lion,
        Lamb,
        Adafactor,
        Muon,
    ],
)
