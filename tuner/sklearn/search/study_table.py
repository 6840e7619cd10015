"""The trials of a study as scikit-learn's table of results."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats import rankdata
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)

from tuner.errors import SpaceError, UsageError
from tuner.search.tickets import last_trials
from tuner.sklearn.search.split_scores import result_of
from tuner.sklearn.search.study_parts import EstimatorSpace
from tuner.storage import records


def ended_trials(study: Study) -> list[FrozenTrial]:
    """By number, those that stand for their tickets. Raises UsageError if there is none, or none
    is complete."""
    last = last_trials(study.get_trials(deepcopy=False)).values()
    trials = sorted((t for t in last if t.state.is_finished()), key=lambda trial: trial.number)
    if not trials:
        raise UsageError(
            "a search needs a trial that ended; none did before the time was up. Available: a "
            "longer timeout"
        )
    return trials


def require_complete(trials: list[FrozenTrial]) -> None:
    """Raises UsageError with the causes if there is no complete trial: none of the others' scores
    is that of its parameters, so that nothing can be chosen by them."""
    if any(trial.state.name == "COMPLETE" for trial in trials):
        return
    causes = Counter(str(records.recorded(trial, records.CAUSE)) for trial in trials)
    told = "; ".join(f"{count} trials: {cause}" for cause, count in causes.most_common(5))
    raise UsageError(
        f"a search chooses among complete trials; none of {len(trials)} is ({told}). study_ holds "
        "them. Available: another pruner, or more trials"
    )


def split_results(search: Any, trials: list[FrozenTrial], names: list[str]) -> list[dict[str, Any]]:
    """What scikit-learn's `_fit_and_score` gave, trial by trial and split by split, with its
    warning of failures; it raises ValueError if all fits failed."""
    out = [one for trial in trials for one in result_of(trial, search.n_splits_, names)]
    _warn_or_raise_about_fit_failures(out, search.error_score)
    if callable(search.scoring):
        _insert_error_scores(out, search.error_score)
    return out


def with_trials(results: dict[str, Any], trials: list[FrozenTrial]) -> dict[str, Any]:
    """A table of results with what the study says of each row, and ranks that prefer complete
    ones."""
    states = np.array([records.state_of(trial) for trial in trials], dtype=object)
    epochs = [records.recorded(trial, records.EPOCHS_RUN) or 0 for trial in trials]
    ranks = {
        name: complete_first(results[name.replace("rank_", "mean_")], states == "complete")
        for name in results
        if name.startswith("rank_test_")
    }
    numbers = np.array([trial.number for trial in trials])
    own = {"trial_number": numbers, "trial_state": states, "epochs_run": np.array(epochs)}
    return {**results, **ranks, **own}


def candidate_of(trial: FrozenTrial, space: EstimatorSpace) -> dict[str, Any]:
    """The estimator's parameters; none of a trial whose sampler failed."""
    try:
        return space.params(space.space.complete(trial.params))
    except SpaceError:
        return {}


def complete_first(means: NDArray[np.float64], complete: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Ranks from 1, the highest mean first: complete trials, then all others; NaN last among
    its own kind. Equal means share the lowest rank, as in scikit-learn."""
    known = np.nan_to_num(means, nan=np.nanmin(means) - 1 if np.isfinite(means).any() else 0.0)
    ranks = np.zeros(len(means), np.int32)
    for kind, before in ((complete, 0), (~complete, int(complete.sum()))):
        ranks[kind] = before + rankdata(-known[kind], method="min")
    return ranks
