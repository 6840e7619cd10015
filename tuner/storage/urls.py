"""Which storage is meant (flag, environment, default), and of which kind it is."""

from __future__ import annotations

import os

from optuna.storages import BaseStorage

from tuner.errors import UsageError
from tuner.masking import display_url
from tuner.storage.clock import require_time_zone
from tuner.storage.journal import Journal
from tuner.storage.kind import DEFAULT_FOLDER, StorageKind
from tuner.storage.proxy import Proxy
from tuner.storage.server import Server
from tuner.storage.sqlite import SQLite
from tuner.text import shell_quoted

#: Asked in this order whose a URL is. A new kind is a class in a file of its own and a name here.
KINDS: tuple[type[StorageKind], ...] = (SQLite, Journal, Server, Proxy)
#: Name the storage unless a flag does.
ENVIRONMENT = ("TUNER_STORAGE", "OPTUNA_STORAGE")


def storage_at(url: str | StorageKind | None) -> StorageKind:
    """The storage that a command or a caller means by `url`.

    Args:
        url: see the `FORMS` of the kinds; None: `TUNER_STORAGE`, else `OPTUNA_STORAGE`, else the
            SQLite file `studies/tuner.db` of the working directory. One that is a storage already
            is given back.

    Raises:
        UsageError: it is of no known form; or this process's time zone is none that dates in a
            storage can have.
    """
    require_time_zone()
    if isinstance(url, StorageKind):
        return url
    named = url or next(filter(None, map(os.environ.get, ENVIRONMENT)), None)
    text = named or f"{SQLite.PREFIX}{(DEFAULT_FOLDER / 'tuner.db').as_posix()}"
    for kind in KINDS:
        if (storage := kind.read(text)) is not None:
            return storage
    raise UsageError(
        f"a storage is a database URL or a file; got {display_url(text)!r}. Available: {forms()}"
    )


def typed(url: str | None) -> str:
    """What a command that is typed next ends with to mean the storage `url`, quoted for a shell,
    a password as ***; empty for None."""
    return "" if url is None else f" --storage {shell_quoted(str(storage_at(url)))}"


def forms(*, remote: bool = False) -> str:
    """How storages are written, for messages. `remote`: only servers."""
    return ", ".join(form for kind in KINDS if kind.REMOTE or not remote for form in kind.FORMS)


def open_storage(url: str | None, *, create: bool = True) -> BaseStorage:
    """The Optuna storage at `url`: `storage_at(url).open(create=create)`."""
    return storage_at(url).open(create=create)
