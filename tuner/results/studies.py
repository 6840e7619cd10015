"""Every study of a storage, in a line each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tuner.errors import TunerError
from tuner.results.ranking import find_best
from tuner.results.trials import count_states
from tuner.search.tickets import TicketCounts, read_counts
from tuner.storage import records
from tuner.study.stored import is_foreign, load_study, read_definition

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study

    from tuner.study.definition import StudyDefinition


@dataclass(frozen=True)
class StudySummary:
    """One line of `tuner studies list`.

    Attributes:
        definition: None for a study that `tuner` did not make, and for one that is
            `unreadable`.
        counts: tickets by state; for a study without a definition its trials by state.
        best_value: of the complete trials; None if there is none.
        begun: when its first trial began.
        unreadable: why `tuner`'s own definition cannot be read, or what it holds of its tickets.
    """

    name: str
    definition: StudyDefinition | None
    counts: TicketCounts
    best_value: float | None
    begun: datetime | None
    unreadable: str | None = None


def list_studies(storage: BaseStorage) -> list[StudySummary]:
    """Every study of the storage, in the order they were made in."""
    return [summarize(load_study(storage, s.study_name)) for s in storage.get_all_studies()]


def summarize(study: Study) -> StudySummary:
    """What `tuner studies list` says of a study."""
    trials = study.get_trials(deepcopy=False)
    begun = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    since = min(begun, default=None)
    states = dict.fromkeys(records.STATES.values(), 0) | count_states(trials)
    stored = TicketCounts(len(trials), **states)
    if len(study.directions) != 1:
        return StudySummary(study.study_name, None, stored, None, since)
    definition, counts, value, why = None, stored, None, None
    try:
        if not is_foreign(study.user_attrs):
            definition = read_definition(study)
            counts = read_counts(study)
        value = None if (best := find_best(study)) is None else best.value
    except (TunerError, TypeError, ValueError) as error:
        definition, counts, why = None, stored, str(error)
    return StudySummary(study.study_name, definition, counts, value, since, why)
