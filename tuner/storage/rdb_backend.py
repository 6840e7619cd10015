"""A worker's steps in a database: each one transaction that looks before it writes.

Works on Optuna's own tables through Optuna's own SQLAlchemy models and sessions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from optuna.exceptions import DuplicatedStudyError
from optuna.storages._cached_storage import _CachedStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tuner.storage import rdb_rows as rows
from tuner.storage import records
from tuner.storage.backend import Backend, Beat, LostTrialError, Writes, ticket_key
from tuner.storage.rdb_reading import reading


class RdbBackend(Backend):
    atomic = True

    def __init__(self, storage: _CachedStorage) -> None:
        super().__init__(storage)
        self._rdb = storage._backend
        self._seen: dict[int, FrozenTrial] = {}  # by trial id
        self._study_seen: int | None = None

    def _session(self) -> AbstractContextManager[Session]:
        return _create_scoped_session(self._rdb.scoped_session)

    def trials(self, study_id: int) -> list[FrozenTrial]:
        """Reads the states of all trials and the rows of those alone that may have changed: a
        finished trial never does, and hundreds may wait."""
        if self._study_seen != study_id:
            self._seen, self._study_seen = {}, study_id
        own = models.TrialModel.__table__.c  # columns of the table: sessions keep no book of them
        query = select(own.trial_id, own.state).where(own.study_id == study_id)
        with reading(), self._session() as session:
            states = {row[0]: row[1] for row in session.execute(query).all()}
        changed = {
            trial_id
            for trial_id, state in states.items()
            if state == TrialState.RUNNING
            or trial_id not in self._seen
            or self._seen[trial_id].state != state
        }
        if changed:
            newest = max(self._seen, default=-1)
            for trial in self._rdb._get_trials(
                study_id, None, {i for i in changed if i <= newest}, newest
            ):
                self._seen[trial._trial_id] = trial
        return sorted(
            (trial for trial_id, trial in self._seen.items() if trial_id in states),
            key=lambda trial: trial.number,
        )

    def remember(self, trial: FrozenTrial) -> None:
        self._seen[trial._trial_id] = trial

    def create_study(
        self, name: str, directions: Sequence[StudyDirection], user_attrs: Mapping[str, Any]
    ) -> int:
        try:
            with self._session() as session:
                study = models.StudyModel(
                    study_name=name,
                    directions=[
                        models.StudyDirectionModel(objective=number, direction=direction)
                        for number, direction in enumerate(directions)
                    ],
                    user_attributes=[
                        models.StudyUserAttributeModel(key=key, value_json=json.dumps(value))
                        for key, value in user_attrs.items()
                    ],
                )
                session.add(study)
                session.flush()
                return int(study.study_id)
        except IntegrityError as error:
            raise DuplicatedStudyError(f"a study named {name} exists") from error

    def set_total(self, study_id: int, total: int, *, lower: bool) -> int:
        model = models.StudySystemAttributeModel
        with self._session() as session:
            study = models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
            row = model.find_by_study_and_key(study, records.STUDY_TOTAL, session)
            stored = 0 if row is None else int(json.loads(str(row.value_json)))
            if stored > total and not lower:
                return stored
            if row is None:
                row = model(study_id=study_id, key=records.STUDY_TOTAL)
                session.add(row)
            row.value_json = json.dumps(total)
        return total

    def add_trials(self, study_id: int, trials: Sequence[FrozenTrial]) -> int:
        with self._session() as session:
            # Whoever else adds trials waits for this row.
            models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
            there = rows.ticket_keys(session, study_id)
            missing = [trial for trial in trials if ticket_key(trial) not in there]
            if missing:
                rows.insert_trials(session, study_id, missing)
        return len(missing)

    def claim(self, wanted: Mapping[int, Writes], owner: str) -> list[int]:
        with self._session() as session:
            # In one order for everybody, so that no two wait for each other.
            found = {trial_id: self._locked(session, trial_id) for trial_id in sorted(wanted)}
            trials = {i: trial for i, trial in found.items() if trial is not None}
            running = [i for i, trial in trials.items() if trial.state == TrialState.RUNNING]
            if any(self._owner(session, trial_id) != owner for trial_id in running):
                return []
            # Those already running are our own: the answer was lost with the connection.
            waiting = [i for i, trial in trials.items() if trial.state == TrialState.WAITING]
            for trial_id in waiting:
                trials[trial_id].state = TrialState.RUNNING
                trials[trial_id].datetime_start = datetime.now()
                rows.insert_params(session, trial_id, wanted[trial_id].params)
                own = wanted[trial_id]
                system = own.system_attrs | {records.WORKER: owner}
                rows.upsert(session, models.TrialSystemAttributeModel, trial_id, system)
                rows.upsert(session, models.TrialUserAttributeModel, trial_id, own.user_attrs)
                self._beat(session, trial_id)
        return sorted(running + waiting)

    def write(self, trial_id: int, writes: Writes, owner: str | None) -> None:
        state = writes.state
        with self._session() as session:
            trial = self._owned(session, trial_id, owner)
            if trial.state.is_finished():
                if trial.state == state and state != TrialState.FAIL:
                    return  # our own, whose answer was lost with the connection
                raise LostTrialError(f"trial {trial.number} is {trial.state.name}")
            rows.insert_params(session, trial_id, writes.params)
            rows.insert_reports(session, trial_id, writes.reports)
            rows.upsert(session, models.TrialUserAttributeModel, trial_id, writes.user_attrs)
            rows.upsert(session, models.TrialSystemAttributeModel, trial_id, writes.system_attrs)
            if state is None:
                self._beat(session, trial_id)
                return
            for objective, value in enumerate(writes.values or ()):
                self._rdb._set_trial_value_without_commit(session, trial, objective, value)
            trial.state = state
            trial.datetime_complete = datetime.now()

    def hand_back(self, trial_id: int, owner: str) -> None:
        with self._session() as session:
            trial = self._owned(session, trial_id, owner)
            if trial.state != TrialState.RUNNING:
                raise LostTrialError(f"trial {trial.number} is {trial.state.name}")
            for model in (models.TrialIntermediateValueModel, models.TrialHeartbeatModel):
                session.execute(delete(model).where(model.trial_id == trial_id))
            attributes = models.TrialSystemAttributeModel
            keep = (records.TURN, *records.KEPT)
            session.execute(
                delete(attributes).where(
                    attributes.trial_id == trial_id, attributes.key.not_in(keep)
                )
            )
            trial.state = TrialState.WAITING
            trial.datetime_start = None

    def beats(self, study_id: int, running: Sequence[FrozenTrial]) -> dict[int, Beat]:
        ids = [trial._trial_id for trial in running]
        if not ids:
            return {}
        model = models.TrialHeartbeatModel
        with reading(), self._session() as session:
            now = session.execute(select(func.now())).scalar_one().replace(tzinfo=None)
            beats = session.execute(
                select(model.trial_id, model.heartbeat).where(model.trial_id.in_(ids))
            )
            found = {i: Beat(beat, (now - beat).total_seconds()) for i, beat in beats}
        return {i: found.get(i, Beat(None, None)) for i in ids}

    def _locked(self, session: Session, trial_id: int) -> Any:
        model = models.TrialModel
        return session.scalars(
            select(model).where(model.trial_id == trial_id).with_for_update()
        ).one_or_none()

    def _owned(self, session: Session, trial_id: int, owner: str | None) -> Any:
        trial = self._locked(session, trial_id)
        if trial is None:
            raise LostTrialError("the trial was deleted")
        if trial.state == TrialState.WAITING or self._owner(session, trial_id) != owner:
            raise LostTrialError(f"trial {trial.number} has another owner")
        return trial

    def _owner(self, session: Session, trial_id: int) -> str | None:
        model = models.TrialSystemAttributeModel
        text = session.scalars(
            select(model.value_json).where(model.trial_id == trial_id, model.key == records.WORKER)
        ).one_or_none()
        return None if text is None else json.loads(text)

    def _beat(self, session: Session, trial_id: int) -> None:
        model = models.TrialHeartbeatModel
        beat = update(model).where(model.trial_id == trial_id).values(heartbeat=func.now())
        if not session.connection().execute(beat).rowcount:
            session.add(model(trial_id=trial_id))
