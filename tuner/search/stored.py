"""Studies in a storage: list, load, read, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tuner.errors import StorageError, StudyConflictError, UsageError, unknown
from tuner.search import records
from tuner.search.definition import StudyDefinition
from tuner.search.quiet import quiet_optuna
from tuner.search.tickets import TicketCounts, count_tickets

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


def load_study(storage: BaseStorage, name: str) -> Study:
    """The study of that name, to be read. Raises `UsageError` where there is none."""
    import optuna

    quiet_optuna()
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        names = sorted(study.study_name for study in storage.get_all_studies())
        raise UsageError(unknown("study", name, names)) from None


def read_definition(study: Study) -> StudyDefinition:
    """The definition a study was made with, its metric filled in.

    Raises:
        StudyConflictError: `tuner` did not make the study.
        StorageError: a newer `tuner` made it.
    """
    return definition_in(study.user_attrs, study.study_name)


def definition_in(attributes: Mapping[str, Any], name: str) -> StudyDefinition:
    """As `read_definition`, from the study's user attributes."""
    version = attributes.get(records.STUDY_VERSION)
    text = attributes.get(records.STUDY_DEFINITION)
    if not isinstance(version, int) or not isinstance(text, str):
        raise StudyConflictError(
            f"a study of tuner holds its definition; study {name!r} holds none, so something else "
            "made it. Available: another --name"
        )
    if version > records.VERSION:
        raise StorageError(
            f"study {name!r} was made by a newer tuner (layout {version}; this one reads up to "
            f"{records.VERSION}). Available: that tuner, or another --name; nothing was changed"
        )
    return StudyDefinition.from_json(text)


def read_total(storage: BaseStorage, study_id: int) -> int:
    """How many trials the study shall have in all; 0 where its tickets are still being made."""
    return int(storage.get_study_system_attrs(study_id).get(records.STUDY_TOTAL, 0))


def read_counts(study: Study) -> TicketCounts:
    """The study's tickets by state. Raises as `read_definition`."""
    total = read_total(study._storage, study._study_id)
    trials = study.get_trials(deepcopy=False)
    return count_tickets(trials, total=total, retries=read_definition(study).retries)


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


def delete_study(storage: BaseStorage, name: str) -> None:
    """Delete a study with all its trials. Raises `UsageError` where there is none."""
    study = load_study(storage, name)
    storage.delete_study(study._study_id)
