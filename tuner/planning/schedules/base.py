"""The learning-rate schedule: one formula a file, a table of rates out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuner.planning.values import checked, number


@dataclass(frozen=True)
class Schedule(ABC):
    """A learning rate as a function of the training step.

    `learning_rate` is the base rate (lr0 in the formulas), step counts from 0 over the whole
    training. Every further field `x` is the parameter `schedule.x` of the catalogue, and is
    checked by its rules. Raises PlanError for a value that breaks them.
    """

    learning_rate: float
    name: ClassVar[str] = ""
    #: False where the rates of the first epochs stay the same whatever the total is.
    depends_on_total: ClassVar[bool] = False
    #: True where the rates depend on the scores of the run (plateau): written between epochs.
    depends_on_scores: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._store("learning_rate", number("optimizer.learning_rate", self.learning_rate))
        for setting in self.settings():
            self._store(setting, checked(f"schedule.{setting}", getattr(self, setting)))

    @classmethod
    def settings(cls) -> tuple[str, ...]:
        """The names of the fields besides `learning_rate`."""
        return tuple(field.name for field in fields(cls) if field.name != "learning_rate")

    def _store(self, name: str, value: object) -> None:
        """Set a field while the frozen instance is being made."""
        object.__setattr__(self, name, value)

    @abstractmethod
    def rates(self, steps_per_epoch: int, epochs: int) -> NDArray[np.float32]:
        """The rate of every step: shape `(epochs * steps_per_epoch,)`, float32."""
