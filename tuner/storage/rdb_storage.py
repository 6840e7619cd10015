"""Optuna's storage in a database, light to open and quick to read.

`RDBStorage` loads one object for every row of a trial: 35 in a study of 20 epochs. Here each table
is one query that gives plain rows. And its manager of schema versions, which imports all of Alembic
(0.2 s) and may write, is made when somebody asks for it: `Database` has looked at the version.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Iterable
from functools import cached_property, lru_cache
from typing import Any

import sqlalchemy
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session, _VersionManager
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from tuner.storage.sqlite_locking import reading

#: More ids are not written into a query: SQLite and PostgreSQL's drivers take some 32,000.
MOST_IDS = 10_000

#: A study has a few, and every trial has the texts of all.
_distribution = lru_cache(maxsize=1024)(json_to_distribution)


class DatabaseStorage(RDBStorage):
    """`RDBStorage` whose reading methods begin reading transactions (the same on a server)."""

    def __init__(self, url: str, engine_kwargs: dict[str, Any]) -> None:
        """Opens nothing and makes no tables; arguments as of `sqlalchemy.create_engine`."""
        # What `RDBStorage.__init__` sets, but for its manager of versions.
        self.url, self.engine_kwargs = url, engine_kwargs
        self.skip_compatibility_check = True
        self.heartbeat_interval = self.grace_period = None
        self.heartbeat_stale_trial_callback = self.failed_trial_callback = None
        self.engine = sqlalchemy.create_engine(url, **engine_kwargs)
        self.scoped_session = scoped_session(sessionmaker(bind=self.engine))

    @cached_property
    def _version_manager(self) -> _VersionManager:  # type: ignore[override]
        return _VersionManager(self.url, self.engine, self.scoped_session)

    def __getstate__(self) -> dict[Any, Any]:
        _ = self._version_manager  # which `RDBStorage` takes out
        return super().__getstate__()

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        """The study's trials by id: those `included`, and those with greater ids."""
        trial = models.TrialModel
        wanted = [trial.study_id == study_id]
        older = {own for own in included_trial_ids if own <= trial_id_greater_than}
        many = len(older) > MOST_IDS
        if trial_id_greater_than > -1 and not many:
            newer = trial.trial_id > trial_id_greater_than
            wanted.append(or_(trial.trial_id.in_(older), newer) if older else newer)
        with _create_scoped_session(self.scoped_session) as session:
            models.StudyModel.find_or_raise_by_id(study_id, session)
            trials = _read(session, wanted)
        return [
            own
            for own in trials
            if (states is None or own.state in states)
            and (not many or own._trial_id > trial_id_greater_than or own._trial_id in older)
        ]


_own = ("_get_trials", "_get_best_trial_id", "_get_stale_trial_ids")
for _name in (*_own, *(name for name in dir(RDBStorage) if name.startswith("get_"))):
    setattr(DatabaseStorage, _name, reading()(getattr(DatabaseStorage, _name)))


def _read(session: Session, wanted: Iterable[Any]) -> list[FrozenTrial]:
    """The trials that fulfil all conditions, by id."""
    trial, connection = models.TrialModel, session.connection()

    def rows(model: Any, *columns: Any) -> dict[int, list[Any]]:
        """By trial id; their order is the database's, as in `RDBStorage`."""
        found = defaultdict(list)
        query = select(model.trial_id, *columns).join(trial, trial.trial_id == model.trial_id)
        for trial_id, *values in connection.execute(query.where(*wanted)):
            found[trial_id].append(values)
        return found

    def attributes(model: Any) -> dict[int, list[Any]]:
        return rows(model, model.key, model.value_json)

    step, value, param = (
        models.TrialIntermediateValueModel,
        models.TrialValueModel,
        models.TrialParamModel,
    )
    # The states first: what belongs to the end of a trial is written with its state or before.
    own: Any = session.scalars(select(trial).where(*wanted).order_by(trial.trial_id)).all()
    params = rows(
        param, param.param_name, param.param_value, param.distribution_json, param.param_id
    )
    values = rows(value, value.objective, value.value, value.value_type)
    steps = rows(step, step.step, step.intermediate_value, step.intermediate_value_type)
    user = attributes(models.TrialUserAttributeModel)
    system = attributes(models.TrialSystemAttributeModel)
    to_value = value.stored_repr_to_value
    to_report = step.stored_repr_to_intermediate_value
    trials = []
    for found in own:
        trial_id = int(found.trial_id)
        given = sorted(params[trial_id], key=lambda row: row[-1])  # as they were suggested
        distributions: dict[str, BaseDistribution] = {
            name: _distribution(text) for name, _, text, _ in given
        }
        trials.append(
            FrozenTrial(
                number=found.number,
                state=found.state,
                value=None,
                values=[to_value(*stored) for _, *stored in sorted(values[trial_id])] or None,
                datetime_start=found.datetime_start,
                datetime_complete=found.datetime_complete,
                params={
                    name: distributions[name].to_external_repr(stored) for name, stored, *_ in given
                },
                distributions=distributions,
                user_attrs={key: json.loads(text) for key, text in user[trial_id]},
                system_attrs={key: json.loads(text) for key, text in system[trial_id]},
                intermediate_values={at: to_report(*stored) for at, *stored in steps[trial_id]},
                trial_id=trial_id,
            )
        )
    return trials
