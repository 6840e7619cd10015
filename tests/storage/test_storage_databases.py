"""What only databases promise of a worker's steps: each is one transaction; and in any storage,
no ticket is taken twice."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from tests.support.storage_place import OWNER, Place
from tuner.search.tickets import new_ticket
from tuner.storage import storage_at
from tuner.storage.backend import LostTrialError, Writes


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def place(request):
    return Place(request.getfixturevalue(request.param))


def test_only_the_owner_writes(place):
    place.backend.add_trials(place.study_id, [new_ticket(0)])
    [trial_id] = place.ids()
    with pytest.raises(LostTrialError):  # it waits
        place.backend.write(trial_id, Writes(), OWNER)
    place.backend.pop(trial_id, OWNER)
    for step in (place.backend.beat, place.backend.hand_back):
        with pytest.raises(LostTrialError, match="another owner"):
            step(trial_id, "somebody else")


def test_a_repeated_write_whose_answer_was_lost_is_no_error(place):
    place.backend.add_trials(place.study_id, [new_ticket(0)])
    [trial_id] = place.ids()
    assert place.backend.pop(trial_id, OWNER)
    assert place.backend.pop(trial_id, OWNER)
    rate = FloatDistribution(0, 1)
    writes = Writes(params={"x": (0.5, rate)}, reports={0: 1.0}, user_attrs={"u": 1})
    place.backend.write(trial_id, writes, OWNER)
    place.backend.write(trial_id, writes, OWNER)
    end = replace(writes, state=TrialState.COMPLETE, values=[1.0])
    place.backend.write(trial_id, end, OWNER)
    place.backend.write(trial_id, end, OWNER)
    trial = place.read().trials[0]
    assert (trial.value, trial.params, trial.intermediate_values) == (1.0, {"x": 0.5}, {0: 1.0})


def test_a_trial_handed_back_waits_without_reports_and_with_its_parameters(place):
    place.backend.add_trials(place.study_id, [new_ticket(0, {"x": 0.5})])
    [trial_id] = place.ids()
    place.backend.pop(trial_id, OWNER)
    writes = Writes(
        params={"x": (0.5, FloatDistribution(0, 1))}, reports={0: 1.0}, system_attrs={"rung": 1}
    )
    place.backend.write(trial_id, writes, OWNER)
    place.backend.hand_back(trial_id, OWNER)
    trial = place.read().trials[0]
    assert (trial.state, trial.params, trial.intermediate_values) == (
        TrialState.WAITING,
        {"x": 0.5},
        {},
    )
    assert trial.system_attrs == {"fixed_params": {"x": 0.5}}
    assert trial.datetime_start is None
    assert place.sql("SELECT count(*) FROM trial_heartbeats") == 0
    assert place.backend.pop(trial_id, "the next")


def test_a_cached_reading_sees_what_others_wrote(place):
    place.backend.add_trials(place.study_id, [new_ticket(i) for i in range(4)])
    other = storage_at(place.url).backend()
    ids = place.ids()
    other.pop(ids[0], OWNER)
    other.write(ids[0], Writes(reports={0: 0.5}), OWNER)
    assert place.backend.trials(place.study_id)[0].intermediate_values == {0: 0.5}
    other.write(ids[0], Writes(reports={1: 0.6}, state=TrialState.COMPLETE, values=[0.6]), OWNER)
    other.pop(ids[2], OWNER)
    other.add_trials(place.study_id, [new_ticket(9)])
    states = [trial.state.name for trial in place.backend.trials(place.study_id)]
    assert states == ["COMPLETE", "WAITING", "RUNNING", "WAITING", "WAITING"]
    assert place.backend.trials(place.study_id)[0].value == 0.6
    stock = [trial.number for trial in place.read().trials]
    assert [trial.number for trial in place.backend.trials(place.study_id)] == stock
    other.storage.delete_study(place.study_id)
    assert place.backend.trials(place.study_id) == []


POP = """
import os, sys, time
from tuner.storage import storage_at
import tuner.storage.rdb_backend, tuner.storage.journal_file
begin = time.time() + 0.5
for number in range(4):
    if os.fork() == 0:
        backend = storage_at(sys.argv[1]).backend()
        study_id = backend.storage.get_study_id_from_name("s")
        ids = [trial._trial_id for trial in backend.trials(study_id)]
        time.sleep(max(0, begin - time.time()))
        popped = [i for i in ids if backend.pop(i, f"here:{number}:0:0")]
        # One write: printed word by word (PYTHONUNBUFFERED), four processes' words run together.
        os.write(1, " ".join(map(str, [*popped, ""])).encode())
        os._exit(0)
for _ in range(4):
    os.wait()
"""


def test_no_ticket_is_popped_by_two_of_four_processes(any_url):
    place = Place(any_url)
    place.backend.add_trials(place.study_id, [new_ticket(i) for i in range(60)])
    ended = subprocess.run(
        [sys.executable, "-c", POP, place.url], capture_output=True, text=True, timeout=120
    )
    popped = sorted(int(word) for word in ended.stdout.split())
    assert popped == sorted(place.ids()), ended.stderr
