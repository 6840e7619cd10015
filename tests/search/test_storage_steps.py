"""A worker's steps in every kind of storage, read back through Optuna alone."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

from tuner.search import records
from tuner.search.storage import open_storage
from tuner.search.storage.backend import Backend, LostTrialError, Writes
from tuner.search.storage.choosing import backend_of
from tuner.search.tickets import follower, new_ticket

OWNER = "here:1:2.00:a"


class Place:
    """A storage of one kind, and how Optuna reads it."""

    def __init__(self, kind: str, folder) -> None:
        self.kind = kind
        self.url = {"sqlite": f"sqlite:///{folder}/a.db", "journal": f"journal:{folder}/a"}.get(
            kind
        )
        self.storage = InMemoryStorage() if self.url is None else open_storage(self.url)
        self.backend = Backend(self.storage) if self.url is None else backend_of(self.storage)
        self.study_id = self.backend.create_study("s", StudyDirection.MAXIMIZE, {"key": [1, "a"]})

    def read(self) -> optuna.Study:
        if self.kind == "sqlite":
            storage = RDBStorage(self.url)
        elif self.kind == "journal":
            storage = JournalStorage(JournalFileBackend(self.url.removeprefix("journal:")))
        else:
            storage = self.storage
        return optuna.load_study(study_name="s", storage=storage)

    def ids(self) -> list[int]:
        return [trial._trial_id for trial in self.backend.trials(self.study_id)]


@pytest.fixture(params=["sqlite", "journal", "any"])
def place(request, tmp_path):
    return Place(request.param, tmp_path)


def test_backends_are_chosen_by_the_storage(tmp_path):
    names = [type(Place(kind, tmp_path).backend).__name__ for kind in ("sqlite", "journal", "any")]
    assert names == ["RdbBackend", "JournalBackend", "Backend"]


def test_a_study_is_made_with_its_attributes_and_once(place):
    study = place.read()
    assert study.user_attrs == {"key": [1, "a"]}
    assert study.direction == StudyDirection.MAXIMIZE
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        place.backend.create_study("s", StudyDirection.MAXIMIZE, {})


def test_tickets_are_queued_once_in_order(place):
    tickets = [new_ticket(i, {"x": 0.5 + i}) for i in range(5)]
    assert place.backend.add_trials(place.study_id, tickets[:3]) == 3
    assert place.backend.add_trials(place.study_id, tickets) == 2
    assert place.backend.add_trials(place.study_id, tickets) == 0
    trials = place.read().trials
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4]
    assert [trial.user_attrs[records.TICKET] for trial in trials] == [0, 1, 2, 3, 4]
    assert [trial.system_attrs["fixed_params"]["x"] for trial in trials] == [
        0.5,
        1.5,
        2.5,
        3.5,
        4.5,
    ]
    assert {trial.state for trial in trials} == {TrialState.WAITING}


def test_a_follower_keeps_ticket_and_parameters(place):
    place.backend.add_trials(place.study_id, [new_ticket(7)])
    [trial_id] = place.ids()
    place.backend.pop(trial_id, OWNER)
    kind = CategoricalDistribution(("a", "b"))
    place.backend.write(trial_id, Writes(params={"x": (1, kind)}), OWNER, state=TrialState.FAIL)
    failed = place.read().trials[0]
    assert place.backend.add_trials(place.study_id, [follower(failed)]) == 1
    assert place.backend.add_trials(place.study_id, [follower(failed)]) == 0
    retry = place.read().trials[1]
    assert (retry.state, retry.params, retry.distributions) == (
        TrialState.WAITING,
        {"x": "b"},
        {"x": kind},
    )
    assert retry.user_attrs == {records.TICKET: 7, records.ATTEMPT: 1}
    assert retry.system_attrs == {records.TURN: 1}


def test_a_trial_is_popped_once(place):
    place.backend.add_trials(place.study_id, [new_ticket(0)])
    [trial_id] = place.ids()
    assert place.backend.pop(trial_id, OWNER)
    assert not place.backend.pop(trial_id, "somebody else")
    trial = place.read().trials[0]
    assert (trial.state, trial.system_attrs[records.WORKER]) == (TrialState.RUNNING, OWNER)
    assert trial.datetime_start is not None
    place.backend.write(trial_id, Writes(), OWNER, state=TrialState.FAIL)
    assert not place.backend.pop(trial_id, OWNER)


def test_everything_is_written_at_once_and_read_by_optuna(place):
    place.backend.add_trials(place.study_id, [new_ticket(0)])
    [trial_id] = place.ids()
    place.backend.pop(trial_id, OWNER)
    rate, name = FloatDistribution(1e-3, 1.0, log=True), CategoricalDistribution(("a", "b"))
    writes = Writes(
        params={"rate": (0.25, rate), "name": (1, name)},
        user_attrs={"u": {"k": [1, None]}, records.TICKET: 0},
        system_attrs={"s": "text"},
        reports={0: 0.5, 1: math.nan, 2: 0.75},
    )
    place.backend.write(trial_id, writes, OWNER)
    trial = place.read().trials[0]
    assert trial.state == TrialState.RUNNING
    more = Writes(user_attrs={"u": 2}, reports={3: 0.875})
    place.backend.write(trial_id, more, OWNER, state=TrialState.COMPLETE, values=[0.875])
    trial = place.read().trials[0]
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.875)
    assert trial.params == {"rate": 0.25, "name": "b"}
    assert trial.distributions == {"rate": rate, "name": name}
    assert list(trial.intermediate_values) == [0, 1, 2, 3]
    assert math.isnan(trial.intermediate_values[1])
    assert trial.user_attrs == {"u": 2, records.TICKET: 0, records.ATTEMPT: 0}
    assert trial.system_attrs["s"] == "text"
    assert trial.datetime_complete is not None
    assert place.read().best_value == 0.875


def test_nothing_is_written_to_a_trial_that_was_taken_over(place):
    place.backend.add_trials(place.study_id, [new_ticket(0), new_ticket(1)])
    first, second = place.ids()
    place.backend.pop(first, OWNER)
    place.backend.write(first, Writes(), OWNER, state=TrialState.FAIL)
    late = Writes(user_attrs={"u": 1}, reports={0: 1.0})
    for state in (None, TrialState.COMPLETE, TrialState.FAIL):
        with pytest.raises(LostTrialError):
            place.backend.write(first, late, OWNER, state=state, values=None)
    with pytest.raises(LostTrialError):
        place.backend.beat(first, OWNER)
    assert place.read().trials[0].intermediate_values == {}
    assert "u" not in place.read().trials[0].user_attrs
    # The storage goes on after the refused records.
    assert place.backend.pop(second, OWNER)
    place.backend.write(second, Writes(), OWNER, state=TrialState.COMPLETE, values=[1.0])
    assert place.read().trials[1].value == 1.0


def test_only_the_owner_writes(tmp_path):
    place = Place("sqlite", tmp_path)
    place.backend.add_trials(place.study_id, [new_ticket(0)])
    [trial_id] = place.ids()
    with pytest.raises(LostTrialError):  # it waits
        place.backend.write(trial_id, Writes(), OWNER)
    place.backend.pop(trial_id, OWNER)
    for step in (place.backend.beat, place.backend.hand_back):
        with pytest.raises(LostTrialError, match="another owner"):
            step(trial_id, "somebody else")


def test_a_repeated_write_whose_answer_was_lost_is_no_error(tmp_path):
    place = Place("sqlite", tmp_path)
    place.backend.add_trials(place.study_id, [new_ticket(0)])
    [trial_id] = place.ids()
    assert place.backend.pop(trial_id, OWNER)
    assert place.backend.pop(trial_id, OWNER)
    rate = FloatDistribution(0, 1)
    writes = Writes(params={"x": (0.5, rate)}, reports={0: 1.0}, user_attrs={"u": 1})
    place.backend.write(trial_id, writes, OWNER)
    place.backend.write(trial_id, writes, OWNER)
    place.backend.write(trial_id, writes, OWNER, state=TrialState.COMPLETE, values=[1.0])
    place.backend.write(trial_id, writes, OWNER, state=TrialState.COMPLETE, values=[1.0])
    trial = place.read().trials[0]
    assert (trial.value, trial.params, trial.intermediate_values) == (1.0, {"x": 0.5}, {0: 1.0})


def test_a_trial_handed_back_waits_without_reports_and_with_its_parameters(tmp_path):
    place = Place("sqlite", tmp_path)
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
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("SELECT count(*) FROM trial_heartbeats").fetchone() == (0,)
    assert place.backend.pop(trial_id, "the next")


def test_a_heartbeat_is_written_with_the_pop_and_has_an_age(place):
    place.backend.add_trials(place.study_id, [new_ticket(0), new_ticket(1)])
    trial_id, other = place.ids()
    place.backend.pop(trial_id, OWNER)
    place.storage.set_trial_state_values(other, TrialState.RUNNING)  # by something without a heart
    running = place.backend.trials(place.study_id)
    beats = place.backend.beats(place.study_id, running)
    assert beats[other].mark is None
    first = beats[trial_id]
    assert first.mark is not None
    if place.kind == "sqlite":
        assert 0 <= first.age <= 2
        with sqlite3.connect(place.storage._backend.engine.url.database) as connection:
            connection.execute("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")
        assert place.backend.beats(place.study_id, running)[trial_id].age > 1e8
    else:
        assert first.age is None
    place.backend.beat(trial_id, OWNER)
    again = place.backend.beats(place.study_id, place.backend.trials(place.study_id))[trial_id]
    assert again.mark != first.mark or place.kind == "sqlite"  # SQLite's clock has whole seconds
    assert again.age is None or again.age <= 2


def test_a_cached_reading_sees_what_others_wrote(tmp_path):
    place, other = Place("sqlite", tmp_path), None
    place.backend.add_trials(place.study_id, [new_ticket(i) for i in range(4)])
    other = backend_of(open_storage(place.url))
    ids = place.ids()
    other.pop(ids[0], OWNER)
    other.write(ids[0], Writes(reports={0: 0.5}), OWNER)
    assert place.backend.trials(place.study_id)[0].intermediate_values == {0: 0.5}
    other.write(ids[0], Writes(reports={1: 0.6}), OWNER, state=TrialState.COMPLETE, values=[0.6])
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
from tuner.search.storage import open_storage
from tuner.search.storage.choosing import backend_of
import tuner.search.storage.rdb_backend, tuner.search.storage.journal_backend
begin = time.time() + 0.5
for number in range(4):
    if os.fork() == 0:
        backend = backend_of(open_storage(sys.argv[1]))
        study_id = backend.storage.get_study_id_from_name("s")
        ids = [trial._trial_id for trial in backend.trials(study_id)]
        time.sleep(max(0, begin - time.time()))
        popped = [i for i in ids if backend.pop(i, f"here:{number}:0:0")]
        print(*popped, flush=True)
        os._exit(0)
for _ in range(4):
    os.wait()
"""


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_no_ticket_is_popped_by_two_of_four_processes(tmp_path, kind):
    place = Place(kind, tmp_path)
    place.backend.add_trials(place.study_id, [new_ticket(i) for i in range(60)])
    ended = subprocess.run(
        [sys.executable, "-c", POP, place.url], capture_output=True, text=True, timeout=120
    )
    popped = sorted(int(word) for word in ended.stdout.split())
    assert popped == sorted(place.ids()), ended.stderr
