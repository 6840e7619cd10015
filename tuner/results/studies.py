"""Every study of a storage, in a line each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tuner.errors import StorageError, StudyConflictError
from tuner.results.ranking import find_best
from tuner.results.trials import count_states
from tuner.search.tickets import TicketCounts, read_counts
from tuner.storage import records
from tuner.study.definition import StudyDefinition
from tuner.study.stored import load_study, read_definition

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study


@dataclass(frozen=True)
class StudySummary:
    """One line of `tuner studies list`.

    Attributes:
        definition: None for a study that `tuner` did not make, or that a newer one did.
        counts: tickets by state; for a foreign study its trials by state.
        best_value: of the complete trials; None if there is none.
        begun: when its first trial began.
    """

    name: str
    definition: StudyDefinition | None
    counts: TicketCounts
    best_value: float | None
    begun: datetime | None


def list_studies(storage: BaseStorage) -> list[StudySummary]:
    """Every study of the storage, in the order they were made in."""
    return [summarize(load_study(storage, s.study_name)) for s in storage.get_all_studies()]


def summarize(study: Study) -> StudySummary:
    """What `tuner studies list` says of a study."""
    trials = study.get_trials(deepcopy=False)
    definition: StudyDefinition | None = None
    try:
        definition = read_definition(study)
        counts = read_counts(study)
    except (StudyConflictError, StorageError):
        states = dict.fromkeys(records.STATES.values(), 0) | count_states(trials)
        counts = TicketCounts(len(trials), **states)
    begun = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    best = find_best(study) if len(study.directions) == 1 else None
    return StudySummary(
        name=study.study_name,
        definition=definition,
        counts=counts,
        best_value=None if best is None else best.value,
        begun=min(begun, default=None),
    )
