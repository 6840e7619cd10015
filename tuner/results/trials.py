"""What a stored study says of its trials: which count, and what each was, scored and ended as."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from tuner.data.dataset import IN_A_PROGRAM
from tuner.errors import UsageError
from tuner.search.tickets import is_void, last_trials
from tuner.storage import records
from tuner.storage.backend import ticket_key
from tuner.study.stored import is_foreign, stored_field, stored_fields
from tuner.text import quoted

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def trials_of(study: Study, *, attempts: bool = False) -> list[FrozenTrial]:
    """The stored trials by number. Read them; never change them.

    A trial that failed or was handed back at a shutdown and is tried again is left out for the
    one that tries it again, unless `attempts` asks for all.
    """
    trials = sorted(study.get_trials(deepcopy=False), key=lambda trial: trial.number)
    if attempts or is_foreign(study.user_attrs):
        return trials
    last = {trial.number for trial in last_trials(trials).values()}
    return [t for t in trials if t.number in last or (ticket_key(t) is None and not is_void(t))]


def find_trial(study: Study, number: int) -> FrozenTrial:
    """The trial with that number.

    Raises:
        UsageError: there is none; the message says which there are.
    """
    trials = trials_of(study, attempts=True)
    for trial in trials:
        if trial.number == number:
            return trial
    held = f"0 to {trials[-1].number}" if trials else "none"
    raise UsageError(
        f"a trial's number must be one of study {quoted(study.study_name)}; received {number}. "
        f"Available: {held}"
    )


def count_states(trials: Iterable[FrozenTrial]) -> dict[str, int]:
    """State (a value of `records.STATES`) to number of trials, states without a trial left out."""
    counts = Counter(records.state_of(trial) for trial in trials)
    return {state: counts[state] for state in records.STATES.values() if counts[state]}


def diverged_among(trials: Iterable[FrozenTrial]) -> str:
    """`, 2 of them diverged`, to follow a count of states; empty if none of the trials did."""
    count = sum(records.diverged(records.recorded(trial, records.CAUSE)) for trial in trials)
    return f", {count} of them diverged" if count else ""


def fold_scores_of(trial: FrozenTrial) -> list[float]:
    """The objective on each fold's validation rows; empty if none was recorded."""
    return numbers(records.recorded(trial, records.FOLD_SCORES) or ())


def mean_of(trial: FrozenTrial) -> float:
    """The mean of the fold scores; the value of a trial that records none."""
    scores = fold_scores_of(trial)
    return float(np.mean(scores)) if scores else numbers((trial.values or [None])[:1])[0]


def epochs_of(trial: FrozenTrial) -> int:
    """The epochs that a completed trial is refitted with: as many as its folds are scored at in
    the mean, rounded half up, and at least one."""
    return max(1, int(np.mean(trial.user_attrs[records.SCORE_EPOCHS]) + 0.5))


def numbers(values: Iterable[float | None]) -> list[float]:
    """As floats: None, which stands for what is not finite, is NaN."""
    return [math.nan if value is None else float(value) for value in values]


def maximizes(study: Study) -> bool:
    """Whether a larger value of the study's (first) objective is better."""
    return study.directions[0].name == "MAXIMIZE"


def metrics_of(study: Study) -> list[str]:
    """The metrics that the study's definition names, the objective first; `objective` for a study
    that `tuner` did not make. Raises `StorageError` if the definition cannot be read."""
    attributes, name = study.user_attrs, study.study_name
    if is_foreign(attributes):
        return ["objective"]
    fields = stored_fields(attributes, name)
    others = stored_field({"metrics": [], **fields}, "metrics", list, name)
    return list(dict.fromkeys([stored_field(fields, "objective.metric", str, name), *others]))


def holds_networks(study: Study) -> bool:
    """Whether the study's trials are networks that an export can train again: not if something else
    made it, nor if they are an estimator's fits in somebody's program."""
    if is_foreign(study.user_attrs):
        return False
    fields = stored_fields(study.user_attrs, study.study_name)
    uri = stored_field(fields, "data.uri", str, study.study_name)
    return not uri.startswith(f"{IN_A_PROGRAM}:")


def objectives_of(study: Study) -> list[str]:
    """The names of all that the study optimizes, the metric first."""
    names = metrics_of(study)[:1]
    if len(study.directions) > 1 and not is_foreign(study.user_attrs):
        fields = stored_fields(study.user_attrs, study.study_name)
        names += stored_field(fields, "objective.others", list, study.study_name)
    return names


def objective_metric(study: Study) -> str:
    """The name of the metric that the study optimizes, see `metrics_of`."""
    return metrics_of(study)[0]
