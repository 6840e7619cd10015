"""Opening storages: which one is meant, and how several processes share it safely."""

from __future__ import annotations

from tuner.storage.opening import open_storage as open_storage
from tuner.storage.opening import storage_errors as storage_errors
from tuner.storage.urls import default_storage_url as default_storage_url
from tuner.storage.urls import display_url as display_url
from tuner.storage.urls import storage_url as storage_url
