"""Every study of a storage, in a line each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tuner.errors import StorageError, StudyConflictError
from tuner.search.tickets import TicketCounts, read_counts
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
        best_value: of the complete trials; None where there is none.
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
    states = [trial.state.name for trial in trials]
    definition: StudyDefinition | None = None
    try:
        definition = read_definition(study)
        counts = read_counts(study)
    except (StudyConflictError, StorageError):
        counts = TicketCounts(
            total=len(trials),
            waiting=states.count("WAITING"),
            running=states.count("RUNNING"),
            complete=states.count("COMPLETE"),
            pruned=states.count("PRUNED"),
            failed=states.count("FAIL"),
        )
    begun = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    values = [t.value for t in trials if t.state.name == "COMPLETE" and len(t.values or ()) == 1]
    best = max if len(study.directions) == 1 and study.direction.name == "MAXIMIZE" else min
    return StudySummary(
        name=study.study_name,
        definition=definition,
        counts=counts,
        best_value=best((v for v in values if v is not None), default=None),
        begun=min(begun, default=None),
    )
