"""A storage in a database: Optuna's own tables, made once however many processes come at a time."""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.storages import BaseStorage, RDBStorage, _rdb
from optuna.storages._cached_storage import _CachedStorage

from tuner.errors import StorageError
from tuner.storage.backend import Backend
from tuner.storage.check_result import Finding, WriteStep
from tuner.storage.kind import StorageKind
from tuner.storage.rdb_reading import Look, Query, reading
from tuner.storage.rdb_storage import DatabaseStorage
from tuner.text import said, shell_quoted

if TYPE_CHECKING:
    import sqlalchemy

#: A script's revision, and the one it follows (none, and no match, for the first).
_REVISION = re.compile(r'^((?:down_)?revision)\b.*= "(.+)"$', re.MULTILINE)


@cache
def _known_revisions() -> tuple[str, ...]:
    """Optuna's schema revisions, the newest first. Read from the scripts' text: Alembic, which
    runs them, takes 0.2 s to import."""
    after: dict[str | None, str] = {}
    for script in (Path(_rdb.__path__[0]) / "alembic" / "versions").glob("*.py"):
        found = dict(_REVISION.findall(script.read_text("utf-8")))
        after[found.get("down_revision")] = found["revision"]
    known: list[str] = []
    while (revision := after.get(known[0] if known else None)) is not None:
        known.insert(0, revision)
    return tuple(known)


class Database(StorageKind):
    @abstractmethod
    def _settings(self, *, read_only: bool) -> tuple[str, dict[str, Any]]:
        """URL and further arguments of `sqlalchemy.create_engine`."""

    @abstractmethod
    def _making(self) -> AbstractContextManager[None]:
        """A lock that one process at a time holds, inside which the tables are made."""

    @contextmanager
    def engine(self, *, read_only: bool = False) -> Iterator[sqlalchemy.Engine]:
        """Connections to the database, closed at the end."""
        import sqlalchemy

        url, settings = self._settings(read_only=read_only)
        engine = sqlalchemy.create_engine(url, **settings)
        try:
            yield engine
        finally:
            engine.dispose()

    @abstractmethod
    def connect(self, *, read_only: bool = True) -> AbstractContextManager[Query]:
        """One connection, to read by."""

    @abstractmethod
    def _tables(self, query: Query) -> list[str]:
        """The names of the database's tables."""

    def _has_tables(self, *, read_only: bool = False) -> bool:
        """Whether Optuna's tables are there and complete; if not, they have to be made.

        Raises `StorageError` if they have another revision than this Optuna's, and for a
        database that is somebody else's.
        """
        with self.connect(read_only=read_only) as query:
            tables = self._tables(query)
            self._require_ours(tables)
            if "alembic_version" not in tables:
                self._require_optunas(tables, read_only=read_only)
                return False
            rows = query("SELECT version_num FROM alembic_version")
            revision = rows[0][0] if rows else None
        known = _known_revisions()
        if revision in (None, known[0]):
            return revision is not None
        rule = (
            f"a storage has the schema of the installed Optuna {optuna.__version__} ({known[0]}); "
            f"{self} has"
        )
        if revision in known:
            raise StorageError(
                f"{rule} the older {revision}. Upgrade it (after a copy) by: "
                f"optuna storage upgrade --storage {shell_quoted(str(self))}"
            )
        raise StorageError(
            f"{rule} {revision}, which this Optuna does not know: a newer one made it. "
            "Available: pip install -U optuna, or another storage (--storage); nothing was changed"
        )

    def _require_ours(self, tables: Sequence[str]) -> None:
        """Raises `StorageError` if the database is somebody else's."""

    def _require_optunas(self, tables: Sequence[str], *, read_only: bool) -> None:
        """Raises `StorageError` if tables that have names of Optuna's are somebody else's."""
        if not tables:
            return
        import sqlalchemy
        from optuna.storages._rdb import models

        held: dict[str, set[str]] = {}
        with reading(), self.engine(read_only=read_only) as engine, engine.connect() as connection:
            inspector = sqlalchemy.inspect(connection)
            for name in {*models.BaseModel.metadata.tables} & {*tables}:
                held[name] = {column["name"] for column in inspector.get_columns(name)}
        for name, table in models.BaseModel.metadata.tables.items():
            if name not in held:
                continue
            if missing := [c.name for c in table.columns if c.name not in held[name]]:
                raise StorageError(
                    f"a storage holds Optuna's tables; the table {name} of {self} is another, "
                    f"without the column {missing[0]}, and was left as it is. Available: another "
                    "storage (--storage)"
                )

    def _open(self) -> BaseStorage:
        if not self._has_tables(read_only=True):
            with self._making():
                if not self._has_tables():
                    self._make_tables()
        return self._opened(read_only=False)

    def _make_tables(self) -> None:
        url, settings = self._settings(read_only=False)
        # Optuna looks at the schema through two connections at a time: as writers of a SQLite
        # file they would wait for each other.
        with reading():
            try:
                RDBStorage(url, settings).engine.dispose()
            except RuntimeError as error:  # of Optuna: the schema of another version
                raise StorageError(
                    f"a storage has the schema of the installed Optuna {optuna.__version__}; "
                    f"{self} has another ({said(error)}). Available: another storage (--storage)"
                ) from error

    def _open_read_only(self) -> BaseStorage | None:
        return self._opened(read_only=True) if self._has_tables(read_only=True) else None

    def close(self, storage: Any) -> None:
        storage._backend.close()

    def _opened(self, *, read_only: bool) -> Any:
        look = self._look if read_only else None
        return _CachedStorage(DatabaseStorage(partial(self._settings, read_only=read_only), look))

    @property
    def _look(self) -> Look | None:
        """How a storage that only reads connects; None: through its engine."""
        return None

    def steps(self, storage: Any) -> Backend:
        from tuner.storage.rdb_backend import RdbBackend

        return RdbBackend(storage)

    def check_schema(self) -> list[Finding]:
        try:
            there = self._has_tables(read_only=True)
        except StorageError as error:
            return [Finding("schema", "error", str(error), blocks=True)]
        text = (
            f"the tables are those of the installed Optuna {optuna.__version__}"
            if there
            else "there are no tables yet: the first tuner optimize makes them"
        )
        return [Finding("schema", "ok", text)]

    def time_write(self) -> WriteStep | None:
        """Sets a row of Optuna's own tables to what it is."""
        if not self._has_tables(read_only=True):
            return None
        with self.engine() as engine:
            engine.connect().close()  # connecting is no part of a step
            began = time.perf_counter()
            with engine.begin() as connection:
                connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
            seconds = time.perf_counter() - began
        return WriteStep(seconds)
