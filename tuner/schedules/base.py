"""The learning-rate schedule: one formula a file, a table of rates out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, Protocol, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from tuner.optimizers import LEARNING_RATE
from tuner.parameters import ParameterInfo, checked, settings_of

#: Float32, one rate a step.
Rates = NDArray[np.float32]
#: Which way a score improves.
Mode = Literal["min", "max"]


class Tracker(Protocol):
    """The rates of one network whose schedule follows its validation scores."""

    def rates(self, epoch: int) -> Rates:
        """The rates of the epoch to come, number `epoch` (from 0): `(steps_per_epoch,)`."""

    def update(self, score: float) -> None:
        """Take the network's validation score of the epoch that ended."""

    def state(self) -> dict[str, Any]:
        """What `restore` puts back, as numbers."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Schedule(ABC):
    """A learning rate as a function of the training step.

    `learning_rate` is the base rate (lr0 in the formulas), step counts from 0 over the whole
    training. The first paragraph of a subclass's docstring is its line for people. Every further
    field, made by `setting`, is a parameter of search spaces, and is checked by its rules. Raises
    PlanError for a value that breaks them.

    Attributes:
        name: what a space calls it.
        formula: of the rate, in the symbols of docs/schedules.md.
        keras: Keras's name for it, if it has one.
        depends_on_total: False if the rates of the first epochs stay the same whatever the
            total is.
    """

    learning_rate: float
    name: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    keras: ClassVar[str] = ""
    depends_on_total: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True)(cls)

    def __post_init__(self) -> None:
        for name, info in {"learning_rate": LEARNING_RATE, **self.settings()}.items():
            value = getattr(self, name)
            # A list that was not given is empty.
            if value != ():
                object.__setattr__(self, name, checked(info, value))

    @classmethod
    @cache
    def settings(cls) -> dict[str, ParameterInfo]:
        """Field -> the parameter that it is."""
        return settings_of(cls, "schedule")

    @abstractmethod
    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        """The rate of every step: shape `(epochs * steps_per_epoch,)`, float32."""

    def first_rate(self, steps_per_epoch: int, epochs: int) -> float:
        """The rate that a warmup rises to."""
        return float(self.rates(steps_per_epoch, epochs)[0])

    def tracker(self, steps_per_epoch: int, mode: Mode) -> Tracker | None:
        """For a schedule that follows the scores of the run, a new tracker before any epoch, one
        for each network; `rates` is then the table of a run without a change. None: `rates` is
        all there is to it."""
        return None

    @property
    def depends_on_scores(self) -> bool:
        """Whether the rates follow the scores of the run."""
        return self.tracker(1, "min") is not None
