"""A study as a table: one row a trial, in the words of scikit-learn's `cv_results_`."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tuner.errors import NoCompletedTrialError, UsageError, unknown
from tuner.search.tickets import last_trials
from tuner.storage import records
from tuner.text import counted

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

#: What `state` says, by Optuna's name.
STATES: dict[str, str] = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}

#: Causes that are listed where no trial is complete.
MOST_CAUSES = 5

Order = Literal["number", "rank"]


def trials_of(study: Study, *, attempts: bool = False) -> list[FrozenTrial]:
    """The stored trials by number. Read them; never change them.

    A trial that failed or was handed back at a shutdown and is tried again is left out for the
    one that tries it again, unless `attempts` asks for all.
    """
    trials = sorted(study.get_trials(deepcopy=False), key=lambda trial: trial.number)
    if attempts:
        return trials
    last = {trial.number for trial in last_trials(trials).values()}
    return [t for t in trials if records.TICKET not in t.user_attrs or t.number in last]


def state_of(trial: FrozenTrial) -> str:
    """One of the values of `STATES`."""
    return STATES[trial.state.name]


def params_of(trial: FrozenTrial) -> dict[str, Any]:
    """The varied parameters; of a trial that nobody has begun, those it was queued with."""
    return dict(trial.params) or dict(trial.system_attrs.get("fixed_params", {}))


def fold_scores_of(trial: FrozenTrial) -> list[float]:
    """The objective on each fold's validation rows; empty where none was recorded."""
    return [
        math.nan if score is None else float(score)
        for score in trial.user_attrs.get(records.FOLD_SCORES, ())
    ]


def maximizes(study: Study) -> bool:
    """Whether a larger value of the study's objective is better."""
    return study.direction.name == "MAXIMIZE"


def results_table(
    study: Study,
    *,
    states: Collection[str] | None = None,
    top: int | None = None,
    order: Order | None = None,
    attempts: bool = False,
) -> list[dict[str, Any]]:
    """Every trial as a row.

    Keys: `number`, `state` (a value of `STATES`), `params`, `mean_test_score`, `std_test_score`
    (population standard deviation over the folds, as in scikit-learn), `rank_test_score` (1 is
    best, equal scores share the smaller rank, trials without a score come after all others),
    `split_test_scores`, `epochs_run`, `duration_s`, `cause` (why it was pruned or failed). A
    pruned trial has no mean: its folds were not trained to the end. Ranks count all trials,
    whatever `states` and `top` leave out.

    Args:
        states: keep only these.
        top: keep only the best so many.
        order: by trial number, or best first; by default best first where `top` is given.
        attempts: also those that were tried again, see `trials_of`.

    Raises:
        UsageError: an unknown state, or `top` below 1.
    """
    for state in states or ():
        if state not in STATES.values():
            raise UsageError(unknown("state", state, STATES.values()))
    if top is not None and top < 1:
        raise UsageError(f"the number of rows to show must be at least 1; received {top}")
    rows = [_row(trial) for trial in trials_of(study, attempts=attempts)]
    ranks = _ranks([row["mean_test_score"] for row in rows], maximize=maximizes(study))
    for row, rank in zip(rows, ranks, strict=True):
        row["rank_test_score"] = rank
    if states:
        rows = [row for row in rows if row["state"] in states]
    if (order or ("number" if top is None else "rank")) == "rank":
        rows.sort(key=lambda row: (row["rank_test_score"], row["number"]))
    return rows[:top]


def best_trial(study: Study) -> dict[str, Any]:
    """The best completed trial: `number`, `params`, `value` (mean over the folds) and
    `fold_scores`. Of equal trials the first one counts.

    Raises:
        NoCompletedTrialError: no trial is complete; the message counts those there are.
    """
    complete = [trial for trial in trials_of(study) if trial.state.name == "COMPLETE"]
    if not complete:
        raise no_completed_trial(study)
    sign = -1.0 if maximizes(study) else 1.0
    return trial_summary(min(complete, key=lambda t: (sign * _mean(t), t.number)))


def trial_summary(trial: FrozenTrial) -> dict[str, Any]:
    """A trial in the form of `best_trial`."""
    return {
        "number": trial.number,
        "params": params_of(trial),
        "value": _mean(trial),
        "fold_scores": fold_scores_of(trial),
    }


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
        f"a trial's number must be one of study {study.study_name!r}; received {number}. "
        f"Available: {held}"
    )


def count_states(study: Study) -> dict[str, int]:
    """State to number of trials; states that no trial has are left out."""
    counts = Counter(state_of(trial) for trial in trials_of(study))
    return {state: counts[state] for state in STATES.values() if counts[state]}


def no_completed_trial(study: Study) -> NoCompletedTrialError:
    """The error for a study without a completed trial: what it has instead, and why."""
    counts = count_states(study)
    held = ", ".join(f"{count} {state}" for state, count in counts.items()) or "no trials at all"
    message = f"no trial of study {study.study_name!r} is complete; it holds {held}."
    causes = _grouped_causes(trials_of(study))
    if causes:
        listed = "; ".join(
            f"{counted(count, 'trial')}: {cause}" for cause, count in causes[:MOST_CAUSES]
        )
        rest = len(causes) - MOST_CAUSES
        message += f" Why: {listed}" + (f"; and {rest} other causes." if rest > 0 else ".")
    if "waiting" in counts or "running" in counts or not counts:
        message += f" Go on with it by: tuner resume {quote(study.study_name)}"
    return NoCompletedTrialError(message)


def _grouped_causes(trials: Collection[FrozenTrial]) -> list[tuple[str, int]]:
    """Causes with the number of trials, most frequent first. Those that differ in numbers alone
    (the fold, the epoch) are one, told in the words of the first."""
    counts: Counter[str] = Counter()
    words: dict[str, str] = {}
    for trial in trials:
        cause = trial.user_attrs.get(records.CAUSE)
        if cause is not None:
            key = re.sub(r"\d+", "#", str(cause))
            words.setdefault(key, str(cause))
            counts[key] += 1
    return [(words[key], count) for key, count in counts.most_common()]


def _row(trial: FrozenTrial) -> dict[str, Any]:
    scores = fold_scores_of(trial)
    complete = trial.state.name == "COMPLETE"
    attributes: Mapping[str, Any] = trial.user_attrs
    return {
        "number": trial.number,
        "state": state_of(trial),
        "params": params_of(trial),
        "mean_test_score": _mean(trial) if complete else math.nan,
        "std_test_score": float(np.std(scores)) if complete and scores else math.nan,
        "rank_test_score": 0,
        "split_test_scores": scores,
        "epochs_run": attributes.get(records.EPOCHS_RUN),
        "duration_s": attributes.get(records.DURATION),
        "cause": attributes.get(records.CAUSE),
    }


def _mean(trial: FrozenTrial) -> float:
    scores = fold_scores_of(trial)
    if scores:
        return float(np.mean(scores))
    return math.nan if trial.value is None else float(trial.value)


def _ranks(scores: list[float], *, maximize: bool) -> list[int]:
    """1 is best; equal scores share the smallest rank of theirs; NaN after all numbers."""
    values = np.asarray(scores, dtype=np.float64)
    losses = np.where(np.isnan(values), np.inf, -values if maximize else values)
    ordered = sorted(losses.tolist())
    first: dict[float, int] = {}
    for position, loss in enumerate(ordered, start=1):
        first.setdefault(loss, position)
    return [first[loss] for loss in losses.tolist()]
