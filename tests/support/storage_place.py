"""A storage of one kind with a study in it, and how stock Optuna reads it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection

from tuner.storage import storage_at
from tuner.storage.backend import Backend
from tuner.storage.rdb_reading import reading
from tuner.storage.server import Server

OWNER = "here:1:2.00:a"


def driver_url(url: str) -> str:
    """Of a server, with its driver, as stock Optuna takes it."""
    storage = Server.read(url)
    assert storage is not None
    return storage.with_driver()


class Place:
    """`url` None: a storage of Optuna's that `tuner` has no backend of its own for."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.backend = Backend(InMemoryStorage()) if url is None else storage_at(url).backend()
        self.storage = self.backend.storage
        self.study_id = self.backend.create_study("s", [StudyDirection.MAXIMIZE], {"key": [1, "a"]})

    @property
    def has_transactions(self) -> bool:
        return self.backend.atomic

    def read(self) -> optuna.Study:
        if self.url is None:
            storage = self.storage
        elif self.url.startswith("journal:"):
            storage = JournalStorage(JournalFileBackend(self.url.removeprefix("journal:")))
        else:
            url = self.url if self.url.startswith("sqlite:") else driver_url(self.url)
            storage = RDBStorage(url)
        return optuna.load_study(study_name="s", storage=storage)

    def ids(self) -> list[int]:
        return [trial._trial_id for trial in self.backend.trials(self.study_id)]

    def sql(self, text: str) -> Any:
        """Execute `text` in the database; the first value if it is a question."""
        asks = text.startswith("SELECT")
        mode: AbstractContextManager[None] = reading() if asks else nullcontext()
        with mode, self.storage._backend.engine.begin() as connection:  # type: ignore[attr-defined]
            result = connection.execute(sqlalchemy.text(text))
            return result.scalar() if asks else None
