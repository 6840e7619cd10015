"""A storage of one kind with a study in it, and how stock Optuna reads it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection

from tuner.storage import open_storage
from tuner.storage.backend import Backend
from tuner.storage.choosing import backend_of
from tuner.storage.sqlite import SQLiteStorage, reading
from tuner.storage.urls import with_driver

OWNER = "here:1:2.00:a"


class Place:
    """`url` None: a storage of Optuna's that `tuner` has no backend of its own for."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.storage = InMemoryStorage() if url is None else open_storage(url)
        self.backend = Backend(self.storage) if url is None else backend_of(self.storage)
        self.study_id = self.backend.create_study("s", StudyDirection.MAXIMIZE, {"key": [1, "a"]})

    @property
    def has_transactions(self) -> bool:
        return self.backend.queues_once

    def read(self) -> optuna.Study:
        if self.url is None:
            storage = self.storage
        elif self.url.startswith("journal:"):
            storage = JournalStorage(JournalFileBackend(self.url.removeprefix("journal:")))
        else:
            url = self.url if self.url.startswith("sqlite:") else with_driver(self.url)
            storage = RDBStorage(url)
        return optuna.load_study(study_name="s", storage=storage)

    def ids(self) -> list[int]:
        return [trial._trial_id for trial in self.backend.trials(self.study_id)]

    def sql(self, text: str) -> Any:
        """Execute `text` in the database; the first value where it is a question."""
        rdb = self.storage._backend
        asks = text.startswith("SELECT")
        mode: AbstractContextManager[None] = (
            reading() if asks and isinstance(rdb, SQLiteStorage) else nullcontext()
        )
        with mode, rdb.engine.begin() as connection:
            result = connection.execute(sqlalchemy.text(text))
            return result.scalar() if asks else None
