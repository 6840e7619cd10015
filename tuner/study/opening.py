"""A stored study that is opened to be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuner.errors import UsageError
from tuner.study.stored import is_foreign, load_study, stored_fields
from tuner.text import quoted

if TYPE_CHECKING:
    from optuna.study import Study

    from tuner.storage.kind import StorageKind


@contextmanager
def reading(name: str, storage: StorageKind) -> Iterator[Study]:
    """Study `name` of a storage that exists; nothing is made, changed or left behind.

    Raises:
        UsageError: there is no such study, or something else made it for several objectives.
        StorageError: the storage does not exist or cannot be read, or the study's definition
            cannot; and what `StorageKind.errors` makes of an error inside the context.
    """
    with storage.open_read_only() as opened:
        study = load_study(opened, name)
        if not is_foreign(study.user_attrs):
            stored_fields(study.user_attrs, name)
        elif (objectives := len(study.directions)) != 1:
            raise UsageError(
                "a study of something else is read if it has one objective; study "
                f"{quoted(name)} has {objectives}"
            )
        yield study
