"""How a trial ended, and the attributes that say so."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.trial import TrialState

from tuner.search.events import TrialOutcome
from tuner.search.reporting import EpochReporter
from tuner.storage import records
from tuner.study.definition import StudyDefinition

if TYPE_CHECKING:
    from tuner.training.scores import TrialScores

#: How a trial's end is told, by Optuna's state.
STATES: dict[TrialState, TrialOutcome] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True)
class Outcome:
    """What is told to the storage.

    Attributes:
        state: COMPLETE, PRUNED or FAIL.
        value: of a complete trial, the mean of the fold scores.
        cause: why it was pruned or failed.
        final: a failure that trying again would repeat.
        user_attrs, system_attrs: what else is written with it.
    """

    state: TrialState
    value: float | None = None
    cause: str | None = None
    final: bool = False
    user_attrs: dict[str, Any] = field(default_factory=dict)
    system_attrs: dict[str, Any] = field(default_factory=dict)

    def attributes(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """User and system attributes, the cause included."""
        user, system = dict(self.user_attrs), dict(self.system_attrs)
        if self.cause is not None:
            user[records.CAUSE] = self.cause
        if self.final:
            system[records.SETTLED] = records.FINAL
        return user, system


def failed(cause: str, *, final: bool) -> Outcome:
    return Outcome(TrialState.FAIL, cause=cause, final=final)


def outcome_of(
    scores: TrialScores,
    reporter: EpochReporter | None,
    definition: StudyDefinition,
    *,
    epochs: int,
    seconds: float,
) -> Outcome:
    """The outcome of a training that came back: complete, pruned, or diverged.

    A diverged trial counts as pruned where the sampler learns from pruned trials, and as failed,
    with no retry, elsewhere. `reporter` None: nothing could end the training early.
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
    if scores.diverged or (reporter is not None and reporter.diverged):
        cause = _divergence(scores, metric)
        if definition.sampler.learns_from_pruned:
            return Outcome(TrialState.PRUNED, None, cause, False, user, system)
        return Outcome(TrialState.FAIL, None, cause, True, user, system)
    if reporter is not None and reporter.pruned:
        cause = f"pruned by {definition.pruner.name} after epoch {scores.epochs_run} of {epochs}"
        return Outcome(TrialState.PRUNED, None, cause, False, user, system)
    value = float(np.mean(folds))
    if not math.isfinite(value):
        cause = f"{metric} is {value} in fold {int(np.argmin(np.isfinite(folds)))}"
        return Outcome(TrialState.FAIL, None, cause, True, user, system)
    return Outcome(TrialState.COMPLETE, value, None, False, user, system)


def _divergence(scores: TrialScores, metric: str) -> str:
    """Which fold's loss stopped being finite, and when."""
    if "diverged" in scores.status:
        fold = scores.status.index("diverged")
        curve = scores.train["loss"][:, fold]
        other = scores.validation["loss"][:, fold]
        broken = ~(np.isfinite(curve) & np.isfinite(other))
        epoch = int(np.argmax(broken)) + 1 if broken.any() else scores.epochs_run
        return f"diverged: the loss of fold {fold} was not finite in epoch {epoch}"
    return f"diverged: the mean of {metric} was not finite in epoch {scores.epochs_run}"


def _numbers(values: Iterable[float]) -> list[float | None]:
    """As JSON holds them: what is not finite is None."""
    return [float(value) if math.isfinite(value) else None for value in values]
