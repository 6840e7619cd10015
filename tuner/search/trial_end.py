"""How a trial ended, and the attributes that say so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.trial import TrialState

from tuner.errors import UsageError
from tuner.planning.metrics import COSTS
from tuner.search.constraints import constraints
from tuner.search.reporting import TrialReports
from tuner.storage import records
from tuner.storage.backend import LostTrialError
from tuner.study.definition import StudyDefinition

if TYPE_CHECKING:
    from tuner.training.scores import TrialScores


@dataclass(frozen=True)
class TrialEnd:
    """How a trial ended, as the storage is told.

    Attributes:
        state: COMPLETE, PRUNED or FAIL; WAITING: it is handed back; RUNNING: it is another
            worker's by now.
        values: of a complete trial, one an objective: the mean of the fold scores, or a cost.
        cause: why it is not complete.
        final: a failure that trying again would repeat.
        seconds: of training.
        user_attrs, system_attrs: what else is written with it.
    """

    state: TrialState
    values: list[float] | None = None
    cause: str | None = None
    final: bool = False
    seconds: float = 0.0
    user_attrs: dict[str, Any] = field(default_factory=dict)
    system_attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether the ticket is surely not tried again."""
        return self.final or self.state in (TrialState.COMPLETE, TrialState.PRUNED)


def refused(cause: str, broken: list[float] | None = None) -> TrialEnd:
    """A candidate that is not trained, now or ever; `broken`: since it breaks a constraint, which
    samplers learn from."""
    if broken is not None:
        system = {records.CONSTRAINTS: broken}
        return TrialEnd(TrialState.PRUNED, cause=cause, system_attrs=system)
    return TrialEnd(TrialState.FAIL, cause=cause, final=True)


def failed_by(error: BaseException) -> TrialEnd:
    """A trial whose training raised. A combination that cannot be trained is not tried again."""
    if isinstance(error, UsageError):
        return refused(str(error))
    return TrialEnd(TrialState.FAIL, cause=f"{type(error).__name__}: {error}".splitlines()[0])


def interrupted() -> TrialEnd:
    return TrialEnd(TrialState.WAITING, cause="handed back at shutdown")


def lost(error: LostTrialError, how: str = "another worker took it over") -> TrialEnd:
    return TrialEnd(TrialState.RUNNING, cause=f"{how} ({error})")


def end_of(
    scores: TrialScores,
    reports: TrialReports,
    definition: StudyDefinition,
    parameters: int | None = None,
    *,
    seconds: float,
    resumed: Sequence[int] = (),
) -> TrialEnd:
    """The end of a training that came back: complete, pruned, or diverged.

    A diverged trial counts as pruned if the sampler learns from pruned trials, else as failed
    with no retry.

    Args:
        reports: what the trial reported, and whether the pruner ended it.
        parameters: weights of one network.
        seconds: of training.
        resumed: the epochs after which it went on from a checkpoint.
    """
    metric = definition.metric
    folds = scores.fold_scores(metric)
    user = {
        records.FOLD_SCORES: _numbers(folds),
        records.SCORE_EPOCHS: [int(epoch) for epoch in scores.score_epoch],
        records.EPOCHS_RUN: scores.epochs_run,
        records.DURATION: round(seconds, 4),
        records.METRICS: {
            name: _numbers(scores.fold_scores(name)) for name in definition.all_metrics
        },
    }
    system: dict[str, Any] = dict(records.curve_attributes(scores))
    if parameters is not None:
        user[records.PARAMETERS] = parameters

    def measured(name: str) -> float | None:
        if name in COSTS:
            return parameters if name == "parameters" else seconds
        return float(np.mean(scores.fold_scores(name)))

    if definition.at_most or definition.at_least:
        system[records.CONSTRAINTS] = constraints(definition, measured)
    if resumed:
        system[records.RESUMED] = list(resumed)
    if scores.record is not None:
        system[records.RECORD] = scores.record
    end = partial(TrialEnd, seconds=seconds, user_attrs=user, system_attrs=system)
    if scores.failure is not None:
        return end(TrialState.FAIL, cause=scores.failure, final=True)
    if scores.diverged or reports.diverged:
        cause = _divergence(scores, metric)
        # Of several objectives Optuna's samplers learn from complete trials alone.
        if definition.sampler.learns_from_pruned and not definition.objective.others:
            return end(TrialState.PRUNED, cause=cause)
        return end(TrialState.FAIL, cause=cause, final=True)
    if reports.pruned:
        after = f"after epoch {scores.epochs_run} of {reports.epochs}"
        return end(TrialState.PRUNED, cause=f"pruned by {definition.pruner.name} {after}")
    values = []
    for name in definition.objectives:
        value = measured(name)
        if value is None or not math.isfinite(value):
            own = folds if name in COSTS else scores.fold_scores(name)
            cause = f"{name} is {value} in fold {int(np.argmin(np.isfinite(own)))}"
            return end(TrialState.FAIL, cause=cause, final=True)
        values.append(float(value))
    return end(TrialState.COMPLETE, values)


def _divergence(scores: TrialScores, metric: str) -> str:
    """Which fold's loss stopped being finite, and when."""
    if "diverged" in scores.status:
        fold = scores.status.index("diverged")
        curve = scores.train["loss"][:, fold]
        other = scores.validation["loss"][:, fold]
        broken = ~(np.isfinite(curve) & np.isfinite(other))
        epoch = int(np.argmax(broken)) + 1 if broken.any() else scores.epochs_run
        return f"{records.DIVERGED}the loss of fold {fold} was not finite in epoch {epoch}"
    return f"{records.DIVERGED}the mean of {metric} was not finite in epoch {scores.epochs_run}"


def _numbers(values: Iterable[float]) -> list[float | None]:
    """As JSON holds them: what is not finite is None."""
    return [float(value) if math.isfinite(value) else None for value in values]
