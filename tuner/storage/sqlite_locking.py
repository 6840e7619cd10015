"""SQLite for several processes: writers that queue.

Stock `RDBStorage` on SQLite begins a transaction at its first write. Two processes that read a
WAITING trial and then write RUNNING both succeed, and the trial runs twice. Here a writing
transaction takes the write lock before it reads (BEGIN IMMEDIATE), and waits for it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.dialects import plugins

from tuner.storage.rdb_reading import only_reads

#: What `sqlalchemy.create_engine` is given as `plugins`: to write, and to read alone.
WRITING, READING = "tuner.immediate", "tuner.reading"


class ImmediatePlugin(sqlalchemy.CreateEnginePlugin):
    """Transactions that begin when they are begun, as SQLAlchemy documents it for the driver
    sqlite3 ("Enabling Non-Legacy SQLite Transactional Modes")."""

    def update_url(self, url: sqlalchemy.URL) -> sqlalchemy.URL:
        return url

    def engine_created(self, engine: sqlalchemy.Engine) -> None:
        event.listen(engine, "connect", _connect)
        event.listen(engine, "begin", self._begin)

    @staticmethod
    def _begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if only_reads() else "BEGIN IMMEDIATE")


class ReadingPlugin(ImmediatePlugin):
    """Whose transactions all read, and write nothing."""

    def engine_created(self, engine: sqlalchemy.Engine) -> None:
        super().engine_created(engine)
        event.listen(engine, "connect", _forbid_writing)

    @staticmethod
    def _begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN")


def _connect(connection: Any, record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    # With a write-ahead log, NORMAL loses nothing when a process dies; a power cut may take the
    # last transactions, never the file.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=OFF")


def _forbid_writing(connection: Any, record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


plugins.register(WRITING, __name__, "ImmediatePlugin")
plugins.register(READING, __name__, "ReadingPlugin")
