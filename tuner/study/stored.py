"""A study in a storage: load, read what it is, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tuner.errors import StorageError, StudyConflictError, UsageError, unknown
from tuner.storage import records
from tuner.storage.quiet import quiet_optuna
from tuner.study.definition import StudyDefinition
from tuner.text import quoted

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study

    from tuner.storage.kind import StorageKind


def load_study(storage: BaseStorage, name: str) -> Study:
    """The study of that name, to be read. Raises `UsageError` if there is none."""
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
            f"a study of tuner holds its definition; study {quoted(name)} holds none, so "
            "something else "
            "made it. Available: another --name"
        )
    if version > records.VERSION:
        raise StorageError(
            f"study {quoted(name)} was made by a newer tuner (layout {version}; this one reads up "
            "to "
            f"{records.VERSION}). Available: that tuner, or another --name; nothing was changed"
        )
    return StudyDefinition.from_json(text)


def require_same(
    definition: StudyDefinition, attributes: Mapping[str, Any], name: str, storage: StorageKind
) -> None:
    """Raises `StudyConflictError` if the study with these user attributes is another one."""
    if definition.hash() == attributes[records.STUDY_DEFINITION_HASH]:
        return
    differences = definition.differences(definition_in(attributes, name))
    lines = "\n".join(f"  {line}" for line in differences or ["space.params: another order"])
    raise StudyConflictError(
        f"a study's name stands for one definition; {quoted(name)} in {storage} holds another:\n"
        f"{lines}\nAvailable: another --name, or `tuner resume {name}` to go on with the stored one"
    )


def read_total(storage: BaseStorage, study_id: int) -> int:
    """How many trials the study shall have in all; 0 while its tickets are still being made."""
    return int(storage.get_study_system_attrs(study_id).get(records.STUDY_TOTAL, 0))


def delete_study(storage: BaseStorage, name: str) -> None:
    """Delete a study with all its trials. Raises `UsageError` if there is none."""
    study = load_study(storage, name)
    storage.delete_study(study._study_id)
