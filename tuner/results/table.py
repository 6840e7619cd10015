"""A study as a table: one row a trial, in the words of scikit-learn's `cv_results_`."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tuner.errors import UsageError, unknown
from tuner.results.ranking import Choice, find_best, front, ranks
from tuner.results.trials import fold_scores_of, maximizes, mean_of, objectives_of, trials_of
from tuner.search.tickets import given_params
from tuner.storage import records

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

Order = Literal["number", "rank"]


def results_table(
    study: Study,
    *,
    states: Collection[str] | None = None,
    top: int | None = None,
    order: Order | None = None,
    attempts: bool = False,
    choose: Choice = "best",
) -> list[dict[str, Any]]:
    """Every trial as a row.

    Keys: `number`, `state` (a value of `records.STATES`), `params`, `mean_test_score`,
    `std_test_score` (population standard deviation over the folds, as in scikit-learn),
    `rank_test_score` (1 is best, equal scores share the smaller rank, trials without a score come
    after all others), `split_test_scores`, `epochs_run`, `duration_s`, `cause` (why it was pruned
    or failed); with several objectives `others`, name to value, and `front`, whether it is of the
    Pareto front; with constraints `feasible`, None if that is not known; with `choose`
    `chosen`, whether it is the one. A pruned trial has no
    mean: its folds were not trained to the end. Ranks count all
    trials, whatever `states` and `top` leave out.

    Args:
        states: keep only these.
        top: keep only the best so many.
        order: by trial number, or best first; by default best first if `top` is given.
        attempts: also those that were tried again, see `trials_of`.
        choose: by which rule a trial is chosen in place of the best, see `find_best`.

    Raises:
        UsageError: an unknown state, `top` below 1, or a choice that does not suit the study.
    """
    for state in states or ():
        if state not in records.STATES.values():
            raise UsageError(unknown("state", state, records.STATES.values()))
    if top is not None and top < 1:
        raise UsageError(f"the number of rows to show must be at least 1; received {top}")
    trials = trials_of(study, attempts=attempts)
    rows = [_row(trial) for trial in trials]
    means = [
        row["mean_test_score"] if records.is_feasible(trial) else math.nan
        for row, trial in zip(rows, trials, strict=True)
    ]
    ranked = ranks(means, maximize=maximizes(study))
    _add_objectives(study, trials, rows)
    for row, rank in zip(rows, ranked.tolist(), strict=True):
        row["rank_test_score"] = rank
    if choose != "best":
        taken = find_best(study, choose)
        for row in rows:
            row["chosen"] = taken is not None and row["number"] == taken.number
    if states:
        rows = [row for row in rows if row["state"] in states]
    if (order or ("number" if top is None else "rank")) == "rank":
        rows.sort(key=lambda row: (row["rank_test_score"], row["number"]))
    return rows[:top]


def flat_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `results_table` with one column a parameter and one a fold, as in `cv_results_`."""
    folds = max((len(row["split_test_scores"]) for row in rows), default=0)
    names = dict.fromkeys(name for row in rows for name in row["params"])
    flat = []
    for row in rows:
        scores = row["split_test_scores"]
        flat.append(
            {"number": row["number"], "state": row["state"]}
            | {f"param_{name}": row["params"].get(name) for name in names}
            | {
                f"split{fold}_test_score": scores[fold] if fold < len(scores) else None
                for fold in range(folds)
            }
            | {key: row[key] for key in row if key.startswith(("mean_", "std_", "rank_"))}
            | row.get("others", {})
            | {key: row[key] for key in ("front", "feasible", "chosen") if key in row}
            | {key: row[key] for key in ("epochs_run", "duration_s", "cause")}
        )
    return flat


def _add_objectives(
    study: Study, trials: Sequence[FrozenTrial], rows: Sequence[dict[str, Any]]
) -> None:
    others = objectives_of(study)[1:]
    members = {trial.number for trial in front(study)} if others else set()
    limited = any(records.CONSTRAINTS in trial.system_attrs for trial in trials)
    for trial, row in zip(trials, rows, strict=True):
        if others:
            values = (trial.values or [])[1:] or [math.nan] * len(others)
            row["others"] = dict(zip(others, values, strict=False))
            row["front"] = trial.number in members
        if limited:
            held = records.CONSTRAINTS in trial.system_attrs
            row["feasible"] = records.is_feasible(trial) if held else None


def _row(trial: FrozenTrial) -> dict[str, Any]:
    scores, state = fold_scores_of(trial), records.state_of(trial)
    return {
        "number": trial.number,
        "state": state,
        "params": given_params(trial),
        "mean_test_score": mean_of(trial) if state == "complete" else math.nan,
        "std_test_score": float(np.std(scores)) if state == "complete" and scores else math.nan,
        "rank_test_score": 0,
        "split_test_scores": scores,
        "epochs_run": records.recorded(trial, records.EPOCHS_RUN),
        "duration_s": records.recorded(trial, records.DURATION),
        "cause": records.recorded(trial, records.CAUSE),
    }
