"""What successive halving notes of a trial: the scores with which it reached its rungs."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from tuner.search.tickets import last_trials
from tuner.storage import records


def rungs_of(trial: FrozenTrial) -> dict[str, float]:
    """The scores with which the trial reached its rungs."""
    attributes = trial.system_attrs.items()
    return {name: value for name, value in attributes if name.startswith(records.RUNG)}


def without_repeated_rungs(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """`trials`, those that another trial of their ticket has followed without their rungs:
    the follower reaches the same ones, and a pruner would count them twice."""
    noted = [trial for trial in trials if trial.state == TrialState.FAIL and rungs_of(trial)]
    if not noted:
        return list(trials)
    counting = {trial._trial_id for trial in last_trials(trials).values()}
    repeated = {trial._trial_id for trial in noted} - counting
    return [_without_rungs(trial) if trial._trial_id in repeated else trial for trial in trials]


def _without_rungs(trial: FrozenTrial) -> FrozenTrial:
    bare, rungs = copy.copy(trial), rungs_of(trial)
    bare.system_attrs = {k: v for k, v in trial.system_attrs.items() if k not in rungs}
    return bare
