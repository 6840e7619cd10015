"""Opening storages: which one is meant, and how several processes share it safely.

What opens them needs Optuna and SQLAlchemy, and is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from tuner.lazy import lazy

if TYPE_CHECKING:
    from tuner.storage.kind import StorageKind as StorageKind
    from tuner.storage.urls import open_storage as open_storage
    from tuner.storage.urls import storage_at as storage_at

__getattr__ = lazy(__name__, {"StorageKind": "kind", "open_storage": "urls", "storage_at": "urls"})
