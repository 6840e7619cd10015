"""The storage that a command means, and a study of it that is opened to be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuner.errors import UsageError
from tuner.text import quoted

if TYPE_CHECKING:
    from optuna.study import Study

    from tuner.storage import StorageKind


def storage_at(url: str | None) -> StorageKind:
    """See `tuner.storage.storage_at`, which takes a second to load."""
    from tuner.storage import urls

    return urls.storage_at(url)


def open_study(name: str, storage: str | None) -> Study:
    """Study `name` of a storage that exists.

    Raises:
        UsageError: there is no such study, or it has several objectives.
        StorageError: the storage does not exist or cannot be read, or a newer tuner made the study.
    """
    from tuner.storage import records
    from tuner.study.stored import load_study, read_definition

    place = storage_at(storage)
    opened = place.open(create=False)
    with place.errors():
        study = load_study(opened, name)
        if records.STUDY_VERSION in study.user_attrs:
            read_definition(study)
        objectives = len(study.directions)
    if objectives != 1:
        raise UsageError(
            f"tuner's studies have one objective; study {quoted(name)} has {objectives}"
        )
    return study


@contextmanager
def reading(name: str, storage: str | None) -> Iterator[Study]:
    """As `open_study`; what the storage raises meanwhile becomes a `StorageError`."""
    study = open_study(name, storage)
    with storage_at(storage).errors():
        yield study
