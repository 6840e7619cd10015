"""Optuna's pruners by name: `pruner: {name: median, n_warmup_steps: 5}`.

Settings have Optuna's names and count epochs: step e is the mean fold score after epoch e + 1.
Optuna is imported when a pruner is built, so that names and settings are known without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PrivateAttr, SerializeAsAny, model_validator

from tuner.parameters.kinds import Count, Whole
from tuner.registry import Registry
from tuner.study.named import Named, by_name

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

    from tuner.study.sampler import Drawable


class Pruner(Named):
    """Decides after each epoch whether a trial goes on.

    Another package adds one by an entry point of the group `tuner.pruners`.

    Attributes:
        prunes: False if every trial trains to its end.
        optunas: the class in `optuna.pruners` that takes the settings, unless `build` makes
            another.
    """

    prunes: ClassVar[bool] = True
    optunas: ClassVar[str]

    def build(self, epochs: int) -> BasePruner:
        """Optuna's pruner; `epochs` is the most that a trial of the study may train."""
        from optuna import pruners

        made: BasePruner = getattr(pruners, self.optunas)(**dict(self))
        return made


class CustomPruner(Pruner):
    """An object of Optuna's, or of a class like it, that came with the study's code; `type`: its
    class, for people."""

    name = "custom"
    type: str
    _object: BasePruner | None = PrivateAttr(None)

    def holding(self, pruner: BasePruner) -> CustomPruner:
        made = self.model_copy()
        made._object = pruner
        return made

    def build(self, epochs: int) -> BasePruner:
        assert self._object is not None, "its code is not loaded"
        return self._object


#: A pruner as a field of a definition.
AnyPruner = Annotated[
    SerializeAsAny[Pruner], BeforeValidator(by_name(lambda: PRUNERS, CustomPruner))
]


class Median(Pruner):
    """Stops a trial whose best score so far is worse than the median of the complete trials' scores
    after the same epoch.

    Nothing is stopped in the first `n_warmup_steps` epochs, nor before `n_startup_trials` trials
    are complete.
    """

    name = "median"
    optunas = "MedianPruner"
    n_startup_trials: Whole = 5
    n_warmup_steps: Whole = 3
    interval_steps: Count = 1
    n_min_trials: Count = 1


class Percentile(Median):
    """As `median`, with another share than the better half: the best `percentile` % go on."""

    name = "percentile"
    optunas = "PercentilePruner"
    percentile: float = Field(default=25.0, ge=0, le=100)


class Hyperband(Pruner):
    """Successive halving in brackets that begin at different epochs; without `max_resource` up to
    the most epochs that the space allows.

    Optuna's Hyperband is told that number:
    left to itself it takes it from the trials that happen to be complete when it is first asked,
    and a resumed study would get other brackets.
    """

    name = "hyperband"
    min_resource: Count = 1
    max_resource: Count | None = None
    reduction_factor: Count = Field(default=3, ge=2)
    bootstrap_count: Whole = 0

    def build(self, epochs: int) -> BasePruner:
        from tuner.study.by_ticket import TicketHyperband

        most = self.max_resource or max(epochs, self.min_resource)
        return TicketHyperband(**{**dict(self), "max_resource": most})


class SuccessiveHalving(Pruner):
    """At epochs `min_resource` x `reduction_factor` ** rung, one trial in `reduction_factor` goes
    on."""

    name = "successive-halving"
    optunas = "SuccessiveHalvingPruner"
    min_resource: Count = 1
    reduction_factor: Count = Field(default=4, ge=2)
    min_early_stopping_rate: int = Field(default=0, ge=0, le=30)
    bootstrap_count: Whole = 0


class Patient(Pruner):
    """Asks `wrapped` only if the score has not improved by `min_delta` for `patience` epochs;
    without `wrapped` it stops the trial then."""

    name = "patient"
    patience: Whole = 3
    min_delta: float = Field(default=0.0, ge=0)
    wrapped: AnyPruner | None = None

    def build(self, epochs: int) -> BasePruner:
        from optuna.pruners import PatientPruner

        wrapped = None if self.wrapped is None else self.wrapped.build(epochs)
        return PatientPruner(wrapped, self.patience, self.min_delta)


class Wilcoxon(Pruner):
    """Stops a trial whose scores, epoch by epoch, are worse than the best trial's by Wilcoxon's
    signed-rank test."""

    name = "wilcoxon"
    optunas = "WilcoxonPruner"
    p_threshold: float = Field(default=0.1, ge=0, le=1)
    n_startup_steps: Whole = 2


class Threshold(Pruner):
    """Stops a trial whose score leaves `lower`..`upper`."""

    name = "threshold"
    optunas = "ThresholdPruner"
    lower: float | None = None
    upper: float | None = None
    n_warmup_steps: Whole = 0
    interval_steps: Count = 1

    @model_validator(mode="after")
    def _check_bounds(self) -> Threshold:
        if self.lower is None and self.upper is None:
            raise ValueError("threshold needs lower, upper or both; got neither")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower must not be above upper; got {self.lower} and {self.upper}")
        return self


class NoPruner(Pruner):
    """Every trial trains to its end."""

    name = "none"
    optunas = "NopPruner"
    prunes = False


#: By name, in the order of the documentation.
PRUNERS: Registry[type[Pruner]] = Registry(
    "pruner",
    "tuner.pruners",
    (Median, Percentile, Hyperband, SuccessiveHalving, Patient, Wilcoxon, Threshold, NoPruner),
)


def max_epochs(space: Drawable, fixed: Any) -> int:
    """The most epochs that a trial in `space` may train; `fixed`: if they do not vary in it."""
    for name, distribution in space.distributions().items():
        if name.split("__")[-1] == "epochs":
            choices = getattr(distribution, "choices", None)
            return int(max(choices) if choices else distribution.high)  # type: ignore[attr-defined]
    return int(fixed)
