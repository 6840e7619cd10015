"""A process that stands still inside a transaction, with rows locked that others need."""

from __future__ import annotations

import pytest
from optuna.trial import TrialState
from sqlalchemy.exc import DBAPIError

from tests.support.faults.study import FaultStudy
from tuner.storage import server, storage_at
from tuner.storage.backend import Writes
from tuner.storage.retry import is_transient

pytestmark = pytest.mark.slow


def test_postgresql_lets_nobody_wait_for_a_process_that_stands_still(postgres, monkeypatch):
    monkeypatch.setattr(server, "STANDSTILL", 1)
    [trial] = FaultStudy(postgres, trials=1).trials()
    still, other = storage_at(postgres).backend(), storage_at(postgres).backend()
    still.pop(trial._trial_id, "a:1:0.00:x")

    def stand_still() -> None:
        with still._session() as session:  # type: ignore[attr-defined]
            still._locked(session, trial._trial_id)  # type: ignore[attr-defined]
            # Waits for the row. Without a limit it would for ever: nothing commits above.
            other.write(trial._trial_id, Writes(state=TrialState.FAIL), "a:1:0.00:x")

    with pytest.raises(Exception) as raised:  # what Optuna makes of it
        stand_still()
    assert is_transient(raised.value)
    cause = raised.value.__cause__ or raised.value
    assert isinstance(cause, DBAPIError)
    assert "idle-in-transaction" in str(cause)
    assert other.trials(other.storage.get_all_studies()[0]._study_id)[0].state == TrialState.FAIL
