"""Trials that wait and are no tickets: Optuna's `enqueue_trial` puts them into a study."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from tuner.storage.backend import ticket_key
from tuner.text import counted, listed


def not_run(trials: Sequence[FrozenTrial]) -> str | None:
    """What to say of those among all `trials` of a study; None if there are none."""
    numbers = [
        str(trial.number)
        for trial in trials
        if trial.state == TrialState.WAITING and ticket_key(trial) is None
    ]
    if not numbers:
        return None
    return (
        "the trials that a study runs are those of its budget, which tuner queues; "
        f"{counted(len(numbers), 'trial')} that something else enqueued (Optuna's enqueue_trial?) "
        f"will not run: number {listed(numbers)}. Available: tuner optimize with --set "
        "PARAMETER=VALUE and another --name"
    )
