"""The storage that a command means, and a study of it: what is loaded at the first use."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.study import Study

    from tuner.storage import StorageKind


def storage_at(url: str | None) -> StorageKind:
    """See `tuner.storage.storage_at`, which takes a second to load."""
    from tuner.storage import urls

    return urls.storage_at(url)


def reading(name: str, storage: str | None) -> AbstractContextManager[Study]:
    """See `tuner.study.opening.reading`."""
    from tuner.study import opening

    return opening.reading(name, storage_at(storage))
