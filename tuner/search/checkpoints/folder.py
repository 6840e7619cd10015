"""Which folder holds a study's artifacts: flag, environment, default."""

from __future__ import annotations

import os
from pathlib import Path

from tuner.storage.urls import DEFAULT_PATH, journal_path, sqlite_path, storage_url

ENVIRONMENT = "TUNER_ARTIFACTS"
_NAME = "artifacts"


def artifacts_folder(flag: str | None, url: str | None) -> Path:
    """The folder meant by a command on the storage `url`: `flag`, else `TUNER_ARTIFACTS`, else
    `artifacts` beside a SQLite file or journal, else `studies/artifacts` of the working
    directory. It need not exist."""
    if said := flag or os.environ.get(ENVIRONMENT):
        return Path(said)
    url = storage_url(url)
    file = sqlite_path(url) or journal_path(url) or DEFAULT_PATH
    return file.parent / _NAME
