"""Pruners as a study definition names them: `pruner: {name: median, n_warmup_steps: 5}`.

Settings have Optuna's names and count epochs: step e is the mean fold score after epoch e + 1.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, model_validator

from tuner.errors import unknown


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MedianSpec(_Spec):
    """Stop a trial whose best score so far is worse than the median of the complete trials'
    scores after the same epoch. Nothing is stopped in the first `n_warmup_steps` epochs, nor
    before `n_startup_trials` trials are complete."""

    name: Literal["median"]
    n_startup_trials: int = Field(default=5, ge=0)
    n_warmup_steps: int = Field(default=3, ge=0)
    interval_steps: int = Field(default=1, ge=1)
    n_min_trials: int = Field(default=1, ge=1)


class PercentileSpec(_Spec):
    """As `median`, with another share than the better half: the best `percentile` % go on."""

    name: Literal["percentile"]
    percentile: float = Field(default=25.0, ge=0, le=100)
    n_startup_trials: int = Field(default=5, ge=0)
    n_warmup_steps: int = Field(default=3, ge=0)
    interval_steps: int = Field(default=1, ge=1)
    n_min_trials: int = Field(default=1, ge=1)


class HyperbandSpec(_Spec):
    """Successive halving in brackets that begin at different epochs. `max_resource` None: the
    most epochs the space allows."""

    name: Literal["hyperband"]
    min_resource: int = Field(default=1, ge=1)
    max_resource: int | None = Field(default=None, ge=1)
    reduction_factor: int = Field(default=3, ge=2)
    bootstrap_count: int = Field(default=0, ge=0)


class SuccessiveHalvingSpec(_Spec):
    """At epochs min_resource x reduction_factor ** rung, one in `reduction_factor` goes on."""

    name: Literal["successive-halving"]
    min_resource: int = Field(default=1, ge=1)
    reduction_factor: int = Field(default=4, ge=2)
    min_early_stopping_rate: int = Field(default=0, ge=0)
    bootstrap_count: int = Field(default=0, ge=0)


class PatientSpec(_Spec):
    """Ask `wrapped` only when the score has not improved by `min_delta` for `patience` epochs;
    without `wrapped` stop the trial then."""

    name: Literal["patient"]
    patience: int = Field(default=3, ge=0)
    min_delta: float = Field(default=0.0, ge=0)
    wrapped: PrunerSpec | None = None


class WilcoxonSpec(_Spec):
    """Stop a trial whose scores, epoch by epoch, are worse than the best trial's by Wilcoxon's
    signed-rank test."""

    name: Literal["wilcoxon"]
    p_threshold: float = Field(default=0.1, ge=0, le=1)
    n_startup_steps: int = Field(default=2, ge=0)


class ThresholdSpec(_Spec):
    """Stop a trial whose score leaves `lower`..`upper`."""

    name: Literal["threshold"]
    lower: float | None = None
    upper: float | None = None
    n_warmup_steps: int = Field(default=0, ge=0)
    interval_steps: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _check_bounds(self) -> ThresholdSpec:
        if self.lower is None and self.upper is None:
            raise ValueError("threshold needs lower, upper or both; got neither")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower must not be above upper; got {self.lower} and {self.upper}")
        return self


class NoSpec(_Spec):
    """Every trial trains to its end."""

    name: Literal["none"]


_Any = (
    MedianSpec
    | PercentileSpec
    | HyperbandSpec
    | SuccessiveHalvingSpec
    | PatientSpec
    | WilcoxonSpec
    | ThresholdSpec
    | NoSpec
)

#: Every name, in the order of the documentation.
PRUNERS: tuple[str, ...] = (
    "median",
    "percentile",
    "hyperband",
    "successive-halving",
    "patient",
    "wilcoxon",
    "threshold",
    "none",
)


def _named(data: Any) -> Any:
    """A bare name stands for the pruner with its defaults."""
    if isinstance(data, str):
        data = {"name": data}
    if isinstance(data, dict) and data.get("name") not in PRUNERS:
        raise ValueError(unknown("pruner", data.get("name"), PRUNERS))
    return data


PrunerSpec = Annotated[_Any, Discriminator("name"), BeforeValidator(_named)]
PatientSpec.model_rebuild()
