"""A worker's steps in a journal: each is one append. A process that dies in the middle of it leaves
the records before the torn one (see `journal_repair`); what ends a step stands last among them.

Goes through Optuna's `JournalStorage`, whose public methods append, and wait for the disk, once
for every value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import JournalStorage
from optuna.storages.journal._storage import JournalOperation
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tuner.storage.backend import Backend, LostTrialError, Writes, ticket_key


class JournalBackend(Backend):
    def __init__(self, storage: JournalStorage) -> None:
        super().__init__(storage)
        self._journal = storage

    def create_study(
        self, name: str, direction: StudyDirection, user_attrs: Mapping[str, Any]
    ) -> int:
        study_id = self._journal.create_new_study([direction], name)
        self._append(
            [
                _log(
                    JournalOperation.SET_STUDY_USER_ATTR, study_id=study_id, user_attr={key: value}
                )
                for key, value in user_attrs.items()
            ]
        )
        return study_id

    def add_trials(self, study_id: int, trials: Sequence[FrozenTrial]) -> int:
        there = {ticket_key(trial) for trial in self.trials(study_id)}
        missing = [trial for trial in trials if ticket_key(trial) not in there]
        self._append([_create(study_id, trial) for trial in missing])
        return len(missing)

    def write(
        self,
        trial_id: int,
        writes: Writes,
        owner: str | None,
        *,
        state: TrialState | None = None,
        values: Sequence[float] | None = None,
    ) -> None:
        operation = JournalOperation
        logs = [
            _log(
                operation.SET_TRIAL_PARAM,
                trial_id=trial_id,
                param_name=name,
                param_value_internal=value,
                distribution=distribution_to_json(distribution),
            )
            for name, (value, distribution) in writes.params.items()
        ]
        logs += [
            _log(
                operation.SET_TRIAL_INTERMEDIATE_VALUE,
                trial_id=trial_id,
                step=step,
                intermediate_value=report,
            )
            for step, report in writes.reports.items()
        ]
        logs += [
            _log(operation.SET_TRIAL_USER_ATTR, trial_id=trial_id, user_attr={key: value})
            for key, value in writes.user_attrs.items()
        ]
        logs += [
            _log(operation.SET_TRIAL_SYSTEM_ATTR, trial_id=trial_id, system_attr={key: value})
            for key, value in (writes.system_attrs | self._beat_now()).items()
        ]
        if state is not None:
            logs.append(
                _log(
                    operation.SET_TRIAL_STATE_VALUES,
                    trial_id=trial_id,
                    state=state,
                    values=None if values is None else list(values),
                    datetime_complete=_now(),
                )
            )
        self._append(logs)

    def _append(self, logs: list[dict[str, Any]]) -> None:
        """Append `logs` in one write and read on. A record about a finished trial is void for
        every reader; raises `LostTrialError` where one of `logs` was."""
        if not logs:
            return
        journal, lost = self._journal, None
        with journal._thread_lock:
            worker = journal._replay_result.worker_id
            journal._backend.append_logs([{**log, "worker_id": worker} for log in logs])
            # Reading stops at every void record of ours, so it may take as many goes.
            for _ in range(len(logs) + 1):
                try:
                    journal._sync_with_backend()
                    break
                except (UpdateFinishedTrialError, KeyError) as error:
                    lost = error
        if lost is not None:
            raise LostTrialError(str(lost)) from lost


def _now() -> str:
    return datetime.now(tz=UTC).isoformat(timespec="microseconds")


def _log(operation: JournalOperation, **fields: Any) -> dict[str, Any]:
    return {"op_code": operation, **fields}


def _create(study_id: int, trial: FrozenTrial) -> dict[str, Any]:
    """The record that creates a WAITING `trial`."""
    return _log(
        JournalOperation.CREATE_TRIAL,
        study_id=study_id,
        datetime_start=None,
        state=trial.state,
        value=None,
        values=None,
        distributions={
            name: distribution_to_json(distribution)
            for name, distribution in trial.distributions.items()
        },
        params={
            name: distribution.to_internal_repr(trial.params[name])
            for name, distribution in trial.distributions.items()
        },
        user_attrs=trial.user_attrs,
        system_attrs=trial.system_attrs,
        intermediate_values={},
    )
