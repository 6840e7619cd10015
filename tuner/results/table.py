"""A study as a table: one row a trial, in the words of scikit-learn's `cv_results_`."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tuner.errors import UsageError, unknown
from tuner.results.ranking import ranks
from tuner.results.trials import fold_scores_of, maximizes, mean_of, trials_of
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
) -> list[dict[str, Any]]:
    """Every trial as a row.

    Keys: `number`, `state` (a value of `records.STATES`), `params`, `mean_test_score`,
    `std_test_score` (population standard deviation over the folds, as in scikit-learn),
    `rank_test_score` (1 is best, equal scores share the smaller rank, trials without a score come
    after all others), `split_test_scores`, `epochs_run`, `duration_s`, `cause` (why it was pruned
    or failed). A pruned trial has no mean: its folds were not trained to the end. Ranks count all
    trials, whatever `states` and `top` leave out.

    Args:
        states: keep only these.
        top: keep only the best so many.
        order: by trial number, or best first; by default best first if `top` is given.
        attempts: also those that were tried again, see `trials_of`.

    Raises:
        UsageError: an unknown state, or `top` below 1.
    """
    for state in states or ():
        if state not in records.STATES.values():
            raise UsageError(unknown("state", state, records.STATES.values()))
    if top is not None and top < 1:
        raise UsageError(f"the number of rows to show must be at least 1; received {top}")
    rows = [_row(trial) for trial in trials_of(study, attempts=attempts)]
    ranked = ranks([row["mean_test_score"] for row in rows], maximize=maximizes(study))
    for row, rank in zip(rows, ranked.tolist(), strict=True):
        row["rank_test_score"] = rank
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
            | {key: row[key] for key in ("epochs_run", "duration_s", "cause")}
        )
    return flat


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
