"""A search that has nothing left to do, found before anything is loaded or started for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tuner.data.sources import source_of
from tuner.errors import UsageError
from tuner.search.points import is_enqueued, missing_points, with_defaults
from tuner.search.prepare import PreparedStudy, prepare_study
from tuner.search.tickets import count_tickets
from tuner.storage import records, storage_at
from tuner.study.data import describe_data
from tuner.study.nested import require_scored
from tuner.study.stored import definition_in, read_total

if TYPE_CHECKING:
    from tuner.study.data import LoadedData
    from tuner.study.definition import StudyDefinition


def find_or_prepare(
    definition: StudyDefinition,
    *,
    name: str | None,
    storage_url: str,
    trials: int | None,
    notes: tuple[str, ...] = (),
    loaded: LoadedData | None = None,
) -> PreparedStudy | Callable[[], PreparedStudy]:
    """The study if nothing is left of it, else what prepares it: see `prepare_study`. `notes`:
    said before those on the data; `loaded`: these need not be loaded again.

    Raises at once what `prepare_study` refuses without the data.
    """

    def prepare() -> PreparedStudy:
        made = prepare_study(
            definition,
            name=name,
            storage_url=storage_url,
            trials=trials,
            describe=partial(describe_data, loaded=loaded),
        )
        return replace(made, notes=(*notes, *made.notes))

    definition.sampler.require_packages()
    require_scored(definition)
    definition.total_trials(trials)
    found = find_finished(definition, name=name, storage_url=storage_url, trials=trials)
    return found or prepare


def find_finished(
    definition: StudyDefinition, *, name: str | None, storage_url: str, trials: int | None
) -> PreparedStudy | None:
    """What `prepare_study` would answer if it changed nothing and no ticket were left.

    None if it would do anything else, or refuse; and where the data are a file, which may have
    changed since: only loading them tells. Reads the storage alone; arguments as there.

    Raises `StorageError`.
    """
    source, rest = source_of(definition.data.uri)
    place = storage_at(storage_url)
    if rest not in source.names or place.absent:
        return None
    with place.open_read_only() as storage:
        if storage is None:
            return None
        for study in storage.get_all_studies():
            held = study.user_attrs
            wanted = _resolved(definition, held)
            if wanted is None or study.study_name != (name or wanted.default_name()):
                continue
            total = read_total(storage, study._study_id)
            asked = max(total, wanted.total_trials(None)) if trials is None else trials
            if wanted.hash() != held.get(records.STUDY_DEFINITION_HASH) or asked != total:
                return None
            stored = definition_in(held, study.study_name)
            told: dict[str, Any] = {"trials": total, "code": wanted.code}
            if None not in (wanted.nested, stored.nested) and wanted.nested != stored.nested:
                return None
            told |= {"nested": wanted.nested or stored.nested}
            told |= {"retries": wanted.retries, "timeout": wanted.timeout}
            there = storage.get_all_trials(study._study_id, deepcopy=False)
            counts = count_tickets(there, total=total, retries=stored.retries)
            if stored.model_copy(update=told) != stored or counts.done < total:
                return None
            wanted = with_defaults(wanted, total)
            if missing_points(wanted, there, total) or any(map(is_enqueued, there)):
                return None
            return PreparedStudy(study.study_name, storage_url, total, counts.done, stored)
    return None


def _resolved(definition: StudyDefinition, held: Mapping[str, Any]) -> StudyDefinition | None:
    """The definition on data of the task that a study with these attributes is of; None if it
    does not fit."""
    try:
        return definition.resolved(held[records.STUDY_TASK])
    except (KeyError, UsageError):
        return None
