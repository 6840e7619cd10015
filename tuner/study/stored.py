"""A study in a storage: load, read what it is, delete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tuner.errors import StorageError, StudyConflictError, UsageError, unknown
from tuner.storage import records
from tuner.storage.quiet import quiet_optuna
from tuner.text import quoted, shell_quoted, shortened

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study

    from tuner.storage.kind import StorageKind
    from tuner.study.definition import StudyDefinition


Kind = TypeVar("Kind")


def load_study(storage: BaseStorage | None, name: str) -> Study:
    """The study of that name, to be read; `storage` None: one that has no tables yet.

    Raises `UsageError` if there is none.
    """
    import optuna

    quiet_optuna()
    if storage is None:
        raise UsageError(unknown("study", name, ()))
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except (KeyError, UnicodeEncodeError):  # a name that is no text is none's
        names = sorted(study.study_name for study in storage.get_all_studies())
        raise UsageError(unknown("study", name, names)) from None


def read_definition(study: Study) -> StudyDefinition:
    """The definition a study was made with, its metric filled in.

    Raises:
        StudyConflictError: `tuner` did not make the study.
        StorageError: a newer `tuner` made it, or its definition cannot be read.
    """
    return definition_in(study.user_attrs, study.study_name)


def definition_in(attributes: Mapping[str, Any], name: str) -> StudyDefinition:
    """As `read_definition`, from the study's user attributes."""
    from tuner.study.definition import definition_of

    fields = stored_fields(attributes, name)
    try:
        return definition_of(fields, "the stored definition")
    except Exception as error:  # whatever is wrong with it, the other studies can be read
        raise unreadable(name, error) from error


def is_foreign(attributes: Mapping[str, Any]) -> bool:
    """Whether something else than `tuner` made the study with these user attributes."""
    return not any(key.startswith("tuner:") for key in attributes)


def stored_fields(attributes: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The fields of the stored definition as they are, which takes no model of a definition.

    Raises as `read_definition`.
    """
    version = attributes.get(records.STUDY_VERSION)
    text = attributes.get(records.STUDY_DEFINITION)
    if is_foreign(attributes) or version is None or text is None:
        raise StudyConflictError(
            f"a study of tuner holds its definition; study {quoted(name)} holds none, so "
            "something else "
            "made it. Available: another --name"
        )
    if isinstance(version, int) and version > records.VERSION:
        raise StorageError(
            f"study {quoted(name)} was made by a newer tuner (layout {version}; this one reads up "
            "to "
            f"{records.VERSION}). Available: that tuner, or another --name; nothing was changed"
        )
    try:
        fields = json.loads(text) if isinstance(version, int) else None
    except (TypeError, ValueError, RecursionError) as error:
        raise unreadable(name, f"no JSON text: {error}") from error
    if not isinstance(fields, dict):
        raise unreadable(name, f"must be fields with values, of a layout; got layout {version!r}")
    data = fields.get("data")
    if version < records.TABLES and isinstance(data, dict):
        data["columns"] = "numbers"
    return fields


def stored_field(fields: Mapping[str, Any], path: str, kind: type[Kind], name: str) -> Kind:
    """The field at a dotted path of study `name`'s stored definition. Raises `StorageError` if it
    is missing or no `kind`."""
    value: Any = fields
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, kind):
        raise unreadable(name, f"{path}: must be {kind.__name__}; got {shortened(repr(value))}")
    return value


def unreadable(name: str, why: object) -> StorageError:
    """The error for a study whose definition cannot be read, `why` not."""
    first = shortened(str(why).partition("\n")[0], 200)
    return StorageError(
        f"a study's definition can be read; that of {quoted(name)} cannot ({first}). "
        "Available: the tuner that made it, or another --name (tuner doctor says how to delete it)"
    )


def require_same(
    definition: StudyDefinition, attributes: Mapping[str, Any], name: str, storage: StorageKind
) -> None:
    """Raises `StudyConflictError` if the study with these user attributes is another one."""
    if definition.hash() == attributes.get(records.STUDY_DEFINITION_HASH):
        return
    differences = definition.differences(definition_in(attributes, name))
    lines = "\n".join(f"  {line}" for line in differences or ["space.params: another order"])
    raise StudyConflictError(
        f"a study's name stands for one definition; {quoted(name)} in {storage} holds another:\n"
        f"{lines}\nAvailable: another --name, or `tuner resume {shell_quoted(name)}` to "
        "go on with the stored one"
    )


def read_total(storage: BaseStorage, study_id: int) -> int:
    """How many trials the study shall have in all; 0 while its tickets are still being made.

    Raises `StorageError` if what is stored is no number.
    """
    total = storage.get_study_system_attrs(study_id).get(records.STUDY_TOTAL, 0)
    if not isinstance(total, int):
        name = storage.get_study_name_from_id(study_id)
        raise unreadable(name, f"its number of trials is {total!r}")
    return total


def delete_study(storage: BaseStorage, name: str) -> None:
    """Delete a study with all its trials. Raises `UsageError` if there is none."""
    study = load_study(storage, name)
    storage.delete_study(study._study_id)
