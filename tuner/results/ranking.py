"""Which trials are the best: the one order that every table, figure and command goes by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuner.errors import NoCompletedTrialError, UsageError, unknown
from tuner.results.trials import (
    count_states,
    fold_scores_of,
    mean_of,
    trials_of,
)
from tuner.search.tickets import given_params
from tuner.storage import records
from tuner.text import counted, measure_text, quoted, shell_quoted

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

#: How a study's trial is chosen: the best mean, or the simplest within one standard error of it.
Choice = Literal["best", "one-se"]

#: Causes that are listed if no trial is complete.
MOST_CAUSES = 5


@dataclass(frozen=True)
class BestTrial:
    """A completed trial.

    Attributes:
        params: the varied parameters.
        value: the objective, mean over the folds.
        fold_scores: the objective on each fold's validation rows.
    """

    number: int
    params: Mapping[str, Any]
    value: float
    fold_scores: tuple[float, ...] = ()


def losses(scores: ArrayLike, *, maximize: bool) -> NDArray[np.float64]:
    """Smaller is better: the scores with their sign turned if larger ones are better; NaN is
    infinity."""
    values = np.asarray(scores, dtype=np.float64)
    return np.where(np.isnan(values), np.inf, -values if maximize else values)


def better(score: float, other: float, *, maximize: bool) -> bool:
    """Whether a score is better than another one."""
    mine, theirs = losses([score, other], maximize=maximize)
    return bool(mine < theirs)


def ranks(scores: ArrayLike, *, maximize: bool) -> NDArray[np.int32]:
    """1 is best; equal scores share the smallest rank of theirs; NaN comes after all numbers."""
    own = losses(scores, maximize=maximize)
    return np.asarray(1 + np.searchsorted(np.sort(own), own), dtype=np.int32)


def best_trials(study: Study) -> list[FrozenTrial]:
    """The completed trials that keep the study's constraints, best first by the objectives in
    their order; of equal ones the first comes first."""
    complete = [t for t in trials_of(study) if records.state_of(t) == "complete"]
    kept = [trial for trial in complete if records.is_feasible(trial)]
    return [kept[place] for place in np.lexsort(_all_losses(study, kept)[::-1])]


def front(study: Study) -> list[FrozenTrial]:
    """The Pareto front: those of `best_trials` to which no other one is better in an objective
    and as good in all."""
    found = best_trials(study)
    members = _members(_all_losses(study, found).T)
    return [trial for trial, member in zip(found, members, strict=True) if member]


def on_front(values: ArrayLike, *, maximize: Sequence[bool]) -> NDArray[np.bool_]:
    """Which trials with these values `(trials, objectives)` are of the Pareto front."""
    columns = zip(np.asarray(values, np.float64).T, maximize, strict=True)
    return _members(np.transpose([losses(own, maximize=way) for own, way in columns]))


def _members(own: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Of losses `(trials, objectives)`."""
    beaten = [((own <= mine).all(axis=1) & (own < mine).any(axis=1)).any() for mine in own]
    return ~np.array(beaten, dtype=np.bool_)


def front_text(names: Sequence[str], values: Sequence[Sequence[float]]) -> str:
    """A front in a line: `3 trials, accuracy 0.9100 to 0.9700, parameters 650 to 4810`.

    Args:
        names: of the objectives.
        values: `(trials, objectives)`, at least one trial's.
    """
    parts = [counted(len(values), "trial")]
    for name, own in zip(names, zip(*values, strict=True), strict=True):
        ends = dict.fromkeys(map(measure_text, (min(own), max(own))))
        parts.append(f"{name} {' to '.join(ends)}")
    return ", ".join(parts)


def _all_losses(study: Study, trials: Sequence[FrozenTrial]) -> NDArray[np.float64]:
    """`(objectives, trials)`."""
    rest = [[*(trial.values or ())][1 : len(study.directions)] for trial in trials]
    values = [[mean_of(trial), *own] for trial, own in zip(trials, rest, strict=True)]
    columns = np.reshape(values, (len(trials), len(study.directions))).T
    named = zip(columns, study.directions, strict=True)
    return np.array([losses(own, maximize=way.name == "MAXIMIZE") for own, way in named])


def find_best(study: Study, choose: Choice = "best") -> BestTrial | None:
    """The best completed trial, by the first objective, or the one that `choose` takes instead:
    see `tuner.results.one_se`. None if there is none.

    Raises `UsageError` for a choice that does not exist or does not suit the study.
    """
    if choose not in get_args(Choice):
        raise UsageError(unknown("choice", choose, get_args(Choice)))
    ranked = best_trials(study)
    if not ranked:
        return None
    if choose == "best":
        return described(ranked[0])
    from tuner.results.one_se import simplest  # takes the models of definitions

    return described(simplest(study, ranked))


def described(trial: FrozenTrial) -> BestTrial:
    """A completed trial."""
    scores = tuple(fold_scores_of(trial))
    return BestTrial(trial.number, given_params(trial), mean_of(trial), scores)


def best_trial(study: Study, choose: Choice = "best") -> BestTrial:
    """As `find_best`, which also raises.

    Raises:
        NoCompletedTrialError: no trial is complete; the message counts those there are.
    """
    best = find_best(study, choose)
    if best is None:
        raise no_completed_trial(study)
    return best


#: What helps if every trial diverges.
_CALMER = (
    "lower learning rates (--set optimizer.learning_rate=0.0001), clipped gradients "
    "(--set optimizer.clipnorm=1), --scaling robust, --target-scale log for targets of several "
    "powers of ten"
)


def no_completed_trial(study: Study) -> NoCompletedTrialError:
    """The error for a study without a completed trial: what it has instead, and why."""
    trials = trials_of(study)
    counts = count_states(trials)
    held = ", ".join(f"{count} {state}" for state, count in counts.items()) or "no trials at all"
    broken = sum(not records.is_feasible(trial) for trial in trials)
    held += f", {broken} of them against the study's constraints" if broken else ""
    kept = " and keeps its constraints" if broken else ""
    message = f"no trial of study {quoted(study.study_name)} is complete{kept}; it holds {held}."
    causes = _causes(trials)
    if causes:
        listed = [f"{counted(count, 'trial')}: {cause}" for cause, count in causes[:MOST_CAUSES]]
        rest = len(causes) - MOST_CAUSES
        message += f" Why: {'; '.join(listed)}" + (
            f"; and {rest} other causes." if rest > 0 else "."
        )
    if causes and all(records.diverged(cause) for cause, _ in causes):
        message += f" Available: {_CALMER}."
    if "waiting" in counts or "running" in counts or not counts:
        message += f" Go on with it by: tuner resume {shell_quoted(study.study_name)}"
    return NoCompletedTrialError(message)


def _causes(trials: Iterable[FrozenTrial]) -> list[tuple[str, int]]:
    """Causes with the number of trials, most frequent first. Those that differ in numbers alone
    (the fold, the epoch) are one, in the words of the first."""
    alike: dict[str, list[str]] = {}
    for trial in trials:
        cause = records.recorded(trial, records.CAUSE)
        if cause is not None:
            alike.setdefault(re.sub(r"\d+", "#", cause), []).append(cause)
    return [(own[0], len(own)) for own in sorted(alike.values(), key=len, reverse=True)]
