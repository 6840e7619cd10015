"""Fresh storages for as many studies as it takes."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.support.faults.postgres import PostgresServer

SQLITE, POSTGRES, JOURNAL = "SQLite", "PostgreSQL", "journal"


class Place:
    """A folder and, for whoever needs it, a PostgreSQL server; a fresh storage for each study."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="tuner-faults-"))
        )
        self._server: PostgresServer | None = None
        self._made = 0

    @property
    def server(self) -> PostgresServer:
        if self._server is None:
            server = PostgresServer(self._folder / "postgres")
            self._server = self._stack.enter_context(server)
        return self._server

    def url(self, storage: str) -> str:
        self._made += 1
        if storage == POSTGRES:
            return self.server.new_database()
        kind = "sqlite:///{}/{}.db" if storage == SQLITE else "journal:{}/{}.log"
        return kind.format(self._folder, self._made)
