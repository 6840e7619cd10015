"""Which backend fits a storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.storage.backend import Backend

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


def backend_of(storage: BaseStorage) -> Backend:
    """The backend that fits `storage` best."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages._cached_storage import _CachedStorage

    inner = storage._backend if isinstance(storage, _CachedStorage) else storage
    if isinstance(inner, RDBStorage):
        from tuner.storage.rdb_backend import RdbBackend

        return RdbBackend(storage, inner)
    if isinstance(inner, JournalStorage):
        from tuner.storage.journal_backend import JournalBackend

        return JournalBackend(inner)
    return Backend(storage)
