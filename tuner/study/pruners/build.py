"""From a pruner's spec to Optuna's pruner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optuna.pruners import (
    BasePruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
)

from tuner.study.pruners.hyperband import TicketHyperband
from tuner.study.pruners.specs import HyperbandSpec, PatientSpec, PrunerSpec

_CLASSES: dict[str, Callable[..., BasePruner]] = {
    "median": MedianPruner,
    "percentile": PercentilePruner,
    "hyperband": TicketHyperband,
    "successive-halving": SuccessiveHalvingPruner,
    "patient": PatientPruner,
    "wilcoxon": WilcoxonPruner,
    "threshold": ThresholdPruner,
    "none": NopPruner,
}


def build_pruner(spec: PrunerSpec, *, epochs: int) -> BasePruner:
    """Optuna's pruner for `spec`; `epochs` is the most that a trial of the study may train.

    Hyperband is told that number: left to itself it takes it from the trials that happen to be
    complete when it is first asked, and a resumed study would get other brackets.
    """
    settings: dict[str, Any] = spec.model_dump(exclude={"name", "wrapped"})
    if isinstance(spec, HyperbandSpec):
        settings["max_resource"] = spec.max_resource or max(epochs, spec.min_resource)
    if isinstance(spec, PatientSpec):
        settings["wrapped_pruner"] = (
            None if spec.wrapped is None else build_pruner(spec.wrapped, epochs=epochs)
        )
    return _CLASSES[spec.name](**settings)
