"""Every study of a storage, in a line each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tuner.errors import TunerError
from tuner.results.ranking import find_best
from tuner.results.trials import count_states
from tuner.search.tickets import TicketCounts, read_counts
from tuner.storage import records
from tuner.study.stored import is_foreign, load_study, stored_field, stored_fields

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study


@dataclass(frozen=True)
class StudySummary:
    """One line of `tuner studies list`.

    Attributes:
        space, data, sampler, metric: as its definition names them; None for a study that `tuner`
            did not make, and for one that is `unreadable`.
        counts: tickets by state; for a study without a definition its trials by state.
        best_value: of the complete trials; None if there is none.
        begun: when its first trial began.
        unreadable: why these cannot be read although `tuner` made the study.
    """

    name: str
    counts: TicketCounts
    begun: datetime | None
    best_value: float | None = None
    space: str | None = None
    data: str | None = None
    sampler: str | None = None
    metric: str | None = None
    unreadable: str | None = None


#: Of `TicketCounts`, as they are shown.
COUNTS = ("total", "complete", "pruned", "failed", "running", "waiting")
#: Attributes of a summary, by their place in a definition.
_NAMED = {
    "space": "space.name",
    "data": "data.uri",
    "sampler": "sampler.name",
    "metric": "objective.metric",
}


def list_studies(storage: BaseStorage) -> list[StudySummary]:
    """Every study of the storage, in the order they were made in."""
    return [summarize(load_study(storage, s.study_name)) for s in storage.get_all_studies()]


def summarize(study: Study) -> StudySummary:
    """What `tuner studies list` says of a study. The definition's other fields are not looked at:
    the model of one takes as long to load as all the rest."""
    name = study.study_name
    trials = study.get_trials(deepcopy=False)
    begun = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    since = min(begun, default=None)
    states = dict.fromkeys(records.STATES.values(), 0) | count_states(trials)
    stored = TicketCounts(len(trials), **states)
    if len(study.directions) != 1 and is_foreign(study.user_attrs):
        return StudySummary(name, stored, since)
    try:
        best = find_best(study)
        value = None if best is None else best.value
        if is_foreign(study.user_attrs):
            return StudySummary(name, stored, since, value)
        fields = stored_fields(study.user_attrs, name)
        named = {key: stored_field(fields, path, str, name) for key, path in _NAMED.items()}
        return StudySummary(name, read_counts(study), since, value, **named)
    except (TunerError, TypeError, ValueError) as error:
        return StudySummary(name, stored, since, unreadable=str(error))


def summary_row(summary: StudySummary) -> dict[str, Any]:
    """A summary as a row of a table."""
    return {
        "study": summary.name,
        "space": summary.space,
        "data": summary.data,
        "sampler": summary.sampler,
        "metric": summary.metric,
        **{key: getattr(summary.counts, key) for key in COUNTS},
        "best_value": summary.best_value,
        "begun": None if summary.begun is None else summary.begun.isoformat(timespec="seconds"),
        "unreadable": summary.unreadable,
    }
