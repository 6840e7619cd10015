"""Rows of Optuna's tables, written many at a time inside a session that is open already."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from tuner.storage import records


def insert_trials(session: Session, study_id: int, trials: Sequence[FrozenTrial]) -> None:
    """Append `trials`, numbered on from those there are. The study's row must be locked."""
    model = models.TrialModel
    count = model.count(session, session.get(models.StudyModel, study_id))
    made = [
        {"study_id": study_id, "number": number, "state": trial.state}
        for number, trial in enumerate(trials, start=count)
    ]
    _insert(session, model, made)
    ids = session.scalars(
        select(model.trial_id)
        .where(model.study_id == study_id, model.number >= count)
        .order_by(model.number)
    )
    params, user_attrs, system_attrs = [], [], []
    for trial_id, trial in zip(ids, trials, strict=True):
        internal = {
            name: (distribution.to_internal_repr(trial.params[name]), distribution)
            for name, distribution in trial.distributions.items()
        }
        params += _param_rows(trial_id, internal)
        user_attrs += _attribute_rows(trial_id, trial.user_attrs)
        system_attrs += _attribute_rows(trial_id, trial.system_attrs)
    _insert(session, models.TrialParamModel, params)
    _insert(session, models.TrialUserAttributeModel, user_attrs)
    _insert(session, models.TrialSystemAttributeModel, system_attrs)


def ticket_keys(session: Session, study_id: int) -> set[tuple[int, int]]:
    """The `ticket_key` of every trial of the study that has one."""

    def values(model: Any, key: str) -> dict[int, int]:
        found = session.execute(
            select(model.trial_id, model.value_json)
            .join(models.TrialModel, models.TrialModel.trial_id == model.trial_id)
            .where(models.TrialModel.study_id == study_id, model.key == key)
        )
        return {trial_id: json.loads(value) for trial_id, value in found}

    turns = values(models.TrialSystemAttributeModel, records.TURN)
    tickets = values(models.TrialUserAttributeModel, records.TICKET)
    return {
        (ticket, turns.get(trial_id, 0))
        for trial_id, ticket in tickets.items()
        if records.fits(records.TICKET, ticket)
    }


def insert_params(
    session: Session, trial_id: int, params: Mapping[str, tuple[float, BaseDistribution]]
) -> None:
    """Write those of `params` that are not there: a batch comes twice if the answer to its first
    writing was lost with the connection."""
    _insert_new(session, models.TrialParamModel.param_name, _param_rows(trial_id, params))


def insert_reports(session: Session, trial_id: int, reports: Mapping[int, float]) -> None:
    """Write those of `reports` (step to value) whose step is not there."""
    model = models.TrialIntermediateValueModel
    rows = []
    for step, value in reports.items():
        stored, kind = model.intermediate_value_to_stored_repr(value)
        row = {"intermediate_value": stored, "intermediate_value_type": kind}
        rows.append({"trial_id": trial_id, "step": step, **row})
    _insert_new(session, model.step, rows)


def upsert(session: Session, model: Any, trial_id: int, values: Mapping[str, Any]) -> None:
    """Set attributes of a trial; `model` says whether user's or system's."""
    if not values:
        return
    query = select(model).where(model.trial_id == trial_id, model.key.in_(values))
    there = {row.key: row for row in session.scalars(query)}
    for key, row in there.items():
        row.value_json = json.dumps(values[key])
    new = {key: value for key, value in values.items() if key not in there}
    _insert(session, model, _attribute_rows(trial_id, new))


def _param_rows(
    trial_id: int, params: Mapping[str, tuple[float, BaseDistribution]]
) -> list[dict[str, Any]]:
    return [
        {
            "trial_id": trial_id,
            "param_name": name,
            "param_value": value,
            "distribution_json": distribution_to_json(distribution),
        }
        for name, (value, distribution) in params.items()
    ]


def _attribute_rows(trial_id: int, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
        for key, value in values.items()
    ]


def _insert_new(session: Session, column: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those of `rows`, all of one trial, whose value of `column` it has no row with."""
    if rows:
        model = column.class_
        query = select(column).where(model.trial_id == rows[0]["trial_id"])
        there = set(session.scalars(query))
        _insert(session, model, [row for row in rows if row[column.key] not in there])


def _insert(session: Session, model: Any, values: Sequence[Mapping[str, Any]]) -> None:
    if values:
        # Without sessions' bookkeeping of every row.
        session.connection().execute(insert(model.__table__), values)
