"""Optuna's storage in a database, light to open and quick to read.

What commands and workers read is read by `rdb_reading`. SQLAlchemy's models and sessions, and the
manager of schema versions, which imports all of Alembic (0.2 s) and may write, are loaded by the
first method of Optuna's own that needs them: `Database` has looked at the version.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optuna.storages import RDBStorage
from optuna.storages._rdb.storage import _VersionManager
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from tuner.storage import rdb_reading as rdb
from tuner.storage.rdb_reading import Look, Query, reading

if TYPE_CHECKING:
    import sqlalchemy
    from sqlalchemy.orm import Session, scoped_session

#: More ids are not written into a query: SQLite takes a million characters.
MOST_IDS = 10_000


class DatabaseStorage(RDBStorage):
    """`RDBStorage` whose reading methods begin reading transactions (the same on a server)."""

    def __init__(
        self, settings: Callable[[], tuple[str, dict[str, Any]]], look: Look | None
    ) -> None:
        """Opens nothing and makes no tables.

        Args:
            settings: gives URL and further arguments of `sqlalchemy.create_engine`.
            look: connects to read; None: through the engine.
        """
        # What `RDBStorage.__init__` sets, but for what is made when it is first used.
        self._settings, self._look = settings, look
        self.skip_compatibility_check = True
        self.heartbeat_interval = self.grace_period = None
        self.heartbeat_stale_trial_callback = self.failed_trial_callback = None
        if look is None:
            _ = self.scoped_session  # before there are threads that may both be the first

    @cached_property
    def url(self) -> str:  # type: ignore[override]
        return self._settings()[0]

    @cached_property
    def engine_kwargs(self) -> dict[str, Any]:  # type: ignore[override]
        return self._settings()[1]

    @cached_property
    def engine(self) -> sqlalchemy.Engine:  # type: ignore[override]
        import sqlalchemy

        return sqlalchemy.create_engine(self.url, **self.engine_kwargs)

    @cached_property
    def scoped_session(self) -> scoped_session[Session]:  # type: ignore[override]
        from sqlalchemy.orm import scoped_session, sessionmaker

        return scoped_session(sessionmaker(bind=self.engine))

    @cached_property
    def _version_manager(self) -> _VersionManager:  # type: ignore[override]
        return _VersionManager(self.url, self.engine, self.scoped_session)

    def __getstate__(self) -> dict[Any, Any]:
        _ = self._version_manager  # which `RDBStorage` takes out
        return super().__getstate__()

    def close(self) -> None:
        """Let go of the connections, if there are any."""
        if "engine" in vars(self):
            self.engine.dispose()

    @contextmanager
    def _looking(self) -> Iterator[Query]:
        if self._look is not None:
            with self._look() as query:
                yield query
        else:
            with reading(), self.engine.connect() as connection:
                yield by_sqlalchemy(connection)

    def get_study_id_from_name(self, study_name: str) -> int:
        with self._looking() as query:
            return rdb.find_study(query, study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        with self._looking() as query:
            return rdb.require_study(query, study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        with self._looking() as query:
            return rdb.read_directions(query, study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        with self._looking() as query:
            return rdb.read_attributes(query, "user", study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        with self._looking() as query:
            return rdb.read_attributes(query, "system", study_id)

    def get_all_studies(self) -> list[FrozenStudy]:
        with self._looking() as query:
            return rdb.read_studies(query)

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        """The study's trials by id: those `included`, and those with greater ids."""
        older = {own for own in included_trial_ids if own <= trial_id_greater_than}
        many = len(older) > MOST_IDS
        wanted = f"t.trial_id > {-1 if many else trial_id_greater_than}"
        if older and not many:
            wanted += f" OR t.trial_id IN ({', '.join(map(str, sorted(older)))})"
        with self._looking() as query:
            rdb.require_study(query, study_id)
            trials = rdb.read_trials(query, study_id, wanted)
        return [
            own
            for own in trials
            if (states is None or own.state in states)
            and (not many or own._trial_id > trial_id_greater_than or own._trial_id in older)
        ]


_theirs = ("_get_best_trial_id", "_get_stale_trial_ids")
for _name in (*_theirs, *(name for name in dir(RDBStorage) if name.startswith("get_"))):
    if _name not in vars(DatabaseStorage):
        setattr(DatabaseStorage, _name, reading()(getattr(DatabaseStorage, _name)))


def by_sqlalchemy(connection: sqlalchemy.Connection) -> Query:
    """Queries through one of SQLAlchemy's connections."""
    import sqlalchemy

    def query(text: str, /, **values: Any) -> Sequence[Any]:
        return connection.execute(sqlalchemy.text(text), values).all()

    return query
