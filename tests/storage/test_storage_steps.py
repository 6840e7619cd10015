"""A worker's steps in every kind of storage, read back through Optuna alone."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from tests.support.storage_place import OWNER, Place
from tuner.search.tickets import follower, new_ticket
from tuner.storage import journal_file, records
from tuner.storage.backend import Backend, LostTrialError, Writes


@pytest.fixture(
    params=["sqlite", "journal", "any", pytest.param("postgres", marks=pytest.mark.slow)]
)
def place(request) -> Place:
    kind = request.param
    return Place(None if kind == "any" else request.getfixturevalue(kind))


def test_backends_are_chosen_by_the_storage(sqlite, journal):
    names = [type(Place(url).backend).__name__ for url in (sqlite, journal, None)]
    assert names == ["RdbBackend", "JournalBackend", "Backend"]


def test_a_study_is_made_with_its_attributes_and_once(place):
    study = place.read()
    assert study.user_attrs == {"key": [1, "a"]}
    assert study.direction == StudyDirection.MAXIMIZE
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        place.backend.create_study("s", [StudyDirection.MAXIMIZE], {})


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
    writes = Writes(params={"x": (1, kind)}, state=TrialState.FAIL)
    place.backend.write(trial_id, writes, OWNER)
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
    place.backend.write(trial_id, Writes(state=TrialState.FAIL), OWNER)
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
    more = Writes(
        user_attrs={"u": 2}, reports={3: 0.875}, state=TrialState.COMPLETE, values=[0.875]
    )
    place.backend.write(trial_id, more, OWNER)
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
    place.backend.write(first, Writes(state=TrialState.FAIL), OWNER)
    late = Writes(user_attrs={"u": 1}, reports={0: 1.0})
    for state in (None, TrialState.COMPLETE, TrialState.FAIL):
        with pytest.raises(LostTrialError):
            place.backend.write(first, replace(late, state=state), OWNER)
    with pytest.raises(LostTrialError):
        place.backend.beat(first, OWNER)
    assert place.read().trials[0].intermediate_values == {}
    assert "u" not in place.read().trials[0].user_attrs
    # The storage goes on after the refused records.
    assert place.backend.pop(second, OWNER)
    place.backend.write(second, Writes(state=TrialState.COMPLETE, values=[1.0]), OWNER)
    assert place.read().trials[1].value == 1.0


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
    if place.has_transactions:
        assert 0 <= first.age <= 2
        place.sql("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")
        assert place.backend.beats(place.study_id, running)[trial_id].age > 1e8
    else:
        assert first.age is None
    place.backend.beat(trial_id, OWNER)
    again = place.backend.beats(place.study_id, place.backend.trials(place.study_id))[trial_id]
    # SQLite's clock has whole seconds.
    assert again.mark != first.mark or place.url.startswith("sqlite:")
    assert again.age is None or again.age <= 2


def test_a_claim_of_a_journal_is_appended_in_two(journal, monkeypatch):
    """Running, then whose it is and its parameters: of these a death leaves the owner at least."""
    place = Place(journal)
    place.backend.add_trials(place.study_id, [new_ticket(0)])
    [trial_id] = place.ids()
    appended = []
    monkeypatch.setattr(journal_file, "sync", lambda file: appended.append(file.flush()))
    before = len(Path(place.url.removeprefix("journal:")).read_bytes().splitlines())
    wanted = Writes(params={"rate": (0.25, FloatDistribution(0, 1))}, user_attrs={"u": 1})
    assert place.backend.claim({trial_id: wanted}, OWNER) == [trial_id]
    assert len(appended) == 2
    lines = Path(place.url.removeprefix("journal:")).read_bytes().splitlines()[before:]
    assert records.WORKER.encode() in lines[1]
    assert b"rate" in lines[2]
    trial = place.read().trials[0]
    assert (trial.params, trial.user_attrs["u"]) == ({"rate": 0.25}, 1)


def test_a_smaller_total_that_was_read_before_a_larger_one_does_not_stay(monkeypatch):
    storage = optuna.storages.InMemoryStorage()
    study_id = storage.create_new_study([StudyDirection.MAXIMIZE], "s")
    late = [9]

    def sleep(_):
        if late:
            storage.set_study_system_attr(study_id, records.STUDY_TOTAL, late.pop())

    monkeypatch.setattr("tuner.storage.backend.time.sleep", sleep)
    assert Backend(storage).set_total(study_id, 12, lower=False) == 12
    assert storage.get_study_system_attrs(study_id)[records.STUDY_TOTAL] == 12
    assert not late
