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
    count = models.TrialModel.count(session, session.get(models.StudyModel, study_id))
    made = [models.TrialModel(study_id=study_id, state=trial.state) for trial in trials]
    session.add_all(made)
    session.flush()
    made.sort(key=lambda row: int(row.trial_id))
    params, user_attrs, system_attrs = [], [], []
    for number, (row, trial) in enumerate(zip(made, trials, strict=True), start=count):
        row.number = number
        internal = {
            name: (distribution.to_internal_repr(trial.params[name]), distribution)
            for name, distribution in trial.distributions.items()
        }
        params += _param_rows(int(row.trial_id), internal)
        user_attrs += _attribute_rows(int(row.trial_id), trial.user_attrs)
        system_attrs += _attribute_rows(int(row.trial_id), trial.system_attrs)
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
    return {(ticket, turns.get(trial_id, 0)) for trial_id, ticket in tickets.items()}


def insert_params(
    session: Session, trial_id: int, params: Mapping[str, tuple[float, BaseDistribution]]
) -> None:
    """Write those of `params` that are not there: a batch comes twice where the answer to its
    first writing was lost with the connection."""
    if params:
        model = models.TrialParamModel
        there = set(session.scalars(select(model.param_name).where(model.trial_id == trial_id)))
        missing = {name: param for name, param in params.items() if name not in there}
        _insert(session, model, _param_rows(trial_id, missing))


def insert_reports(session: Session, trial_id: int, reports: Mapping[int, float]) -> None:
    """Write those of `reports` (step to value) whose step is not there."""
    if reports:
        model = models.TrialIntermediateValueModel
        there = set(session.scalars(select(model.step).where(model.trial_id == trial_id)))
        missing = {step: value for step, value in reports.items() if step not in there}
        _insert(session, model, [_report_row(trial_id, *item) for item in missing.items()])


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


def _report_row(trial_id: int, step: int, value: float) -> dict[str, Any]:
    stored, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(value)
    return {
        "trial_id": trial_id,
        "step": step,
        "intermediate_value": stored,
        "intermediate_value_type": kind,
    }


def _insert(session: Session, model: Any, values: Sequence[Mapping[str, Any]]) -> None:
    if values:
        session.execute(insert(model), values)
