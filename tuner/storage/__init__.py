"""Opening storages: which one is meant, and how several processes share it safely."""

from __future__ import annotations

from tuner.storage.kind import StorageKind as StorageKind
from tuner.storage.kind import display_url as display_url
from tuner.storage.urls import open_storage as open_storage
from tuner.storage.urls import storage_at as storage_at
