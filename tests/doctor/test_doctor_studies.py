"""Checks of studies: definitions, data, trials."""

from __future__ import annotations

import time

import numpy as np
import optuna
import pytest

from tests.support.doctor_tools import dead_owner, look, opened, pop, said, wrong
from tests.support.studies import FACTS, definition, prepare, work
from tuner.doctor.studies import DataCheck, check_definition, check_trials, stale_trials
from tuner.errors import DataError, MissingDataError
from tuner.search.tickets import new_ticket
from tuner.storage import records
from tuner.storage.backend import Beat, Writes
from tuner.study.data import DataFacts, describe_data

KEPT = {
    records.STUDY_VERSION: records.VERSION,
    records.STUDY_DEFINITION: definition().to_json(),
    records.STUDY_DEFINITION_HASH: definition().hash(),
    records.STUDY_DATA_HASH: "fake",
    records.STUDY_TASK: "multiclass",
}


def test_a_definition_that_can_be_read_is_given_back():
    found, read = check_definition("s", KEPT, 3)
    assert (found.state, found.study, read) == ("ok", "s", definition())
    assert "layout 2 of 2" in found.text


@pytest.mark.parametrize(
    ("change", "state", "says"),
    [
        ({records.STUDY_VERSION: records.VERSION + 1}, "error", "made by a newer tuner"),
        ({records.STUDY_DEFINITION: "{"}, "error", "can be read; that of 's' cannot"),
        ({records.STUDY_DEFINITION: "[]"}, "error", "can be read; that of 's' cannot"),
        ({records.STUDY_DEFINITION: '{"space": 1}'}, "error", "can be read; that of 's' cannot"),
        ({records.STUDY_DEFINITION: definition(seed=1).to_json()}, "error", "somebody edited it"),
        ({records.STUDY_TASK: None}, "warning", f"lacks {records.STUDY_TASK}"),
        ({records.STUDY_DEFINITION: None}, "error", "holds none"),
    ],
)
def test_what_is_wrong_with_a_definition_is_found(change, state, says):
    attributes = {k: v for k, v in {**KEPT, **change}.items() if v is not None}
    found, _ = check_definition("s", attributes, 3)
    assert found.state == state
    assert says in found.text


@pytest.mark.parametrize(("trials", "says"), [(3, "with 3 trials"), (0, "its maker died")])
def test_a_study_of_something_else_is_in_order(trials, says):
    found, read = check_definition("s", {"a": 1}, trials)
    assert (found.state, read) == ("ok", None)
    assert says in found.text


@pytest.mark.parametrize(
    ("facts", "state", "says"),
    [
        (FACTS, "ok", "has the study's hash fake"),
        (
            DataFacts("changed", "multiclass"),
            "error",
            "with the hash fake, sklearn:digits here has",
        ),
        (MissingDataError("there is no /a.npz"), "warning", "they are not here: there is no /a"),
        (DataError("a column is missing"), "error", "they cannot be: a column is missing"),
    ],
)
def test_the_data_here_are_compared_with_the_studys(facts, state, says):
    def describe(definition):
        if isinstance(facts, Exception):
            raise facts
        return facts

    found = DataCheck(describe)("s", definition(), "fake")
    assert (found.state, found.check, found.study) == (state, "data", "s")
    assert says in found.text


def test_data_are_loaded_once_for_all_studies_on_them():
    loaded = []

    def describe(own):
        loaded.append(own.data.uri)
        return FACTS

    check = DataCheck(describe)
    for own in (definition(), definition(pruner="none"), definition(data__uri="sklearn:iris")):
        check("s", own, "fake")
    assert loaded == ["sklearn:digits", "sklearn:iris"]


def test_a_file_that_was_removed_or_changed_is_found(tmp_path):
    path = tmp_path / "a.npz"
    rows = np.arange(40.0).reshape(20, 2)
    np.savez(path, X=rows, y=np.arange(20) % 2)
    own = definition(data__uri=f"npz:{path}")
    stored = describe_data(own).hash
    assert DataCheck()("s", own, stored).state == "ok"
    np.savez(path, X=rows + 1, y=np.arange(20) % 2)
    assert DataCheck()("s", own, stored).state == "error"
    path.unlink()
    found = DataCheck()("s", own, stored)
    assert (found.state, str(path) in found.text) == ("warning", True)


@pytest.mark.parametrize("uri", ["keras:mnist", "openml:61"])
def test_nothing_is_downloaded(uri, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    found = DataCheck()("s", definition(data__uri=uri), "fake")
    assert (found.state, "is fetched when it is first used" in found.text) == ("warning", True)
    assert list(tmp_path.iterdir()) == []


def trials_of(url, **settings):
    backend, study_id = opened(url)
    trials = backend.trials(study_id)
    settings = {"total": 3, "retries": 2, "grace": 60.0, "now": time.time(), **settings}
    return check_trials("s", trials, backend.beats(study_id, trials), **settings)


def test_a_trial_whose_process_has_ended_is_stale(url):
    prepare(url, definition(trials=3))
    pop(url, dead_owner())
    found = wrong(trials_of(url))
    assert list(found) == ["stale trials"]
    assert "trial 0 (its process" in found["stale trials"]
    assert "has ended" in found["stale trials"]


def test_a_trial_of_another_machine_is_stale_after_the_grace(url):
    prepare(url, definition(trials=3))
    pop(url, "elsewhere/1/2:77:1.00:abc")
    assert wrong(trials_of(url, now=time.time() + 10)) == {}
    backend, study_id = opened(url)
    [trial, *_] = backend.trials(study_id)
    beats = {trial._trial_id: Beat("mark", 90.0)}
    stale = stale_trials([trial], beats, grace=60.0, now=time.time())
    assert stale == {0: "no heartbeat for 90 s from process 77 on elsewhere"}
    # A storage without a clock: by the worker's own, or since the trial began.
    for attribute in (records.HEARTBEAT, "nothing"):
        trial.system_attrs.setdefault(records.HEARTBEAT, time.time())
        if attribute == "nothing":
            del trial.system_attrs[records.HEARTBEAT]
        for later, count in ((10, 0), (3700, 1)):
            args = {"grace": 60.0, "now": time.time() + later}
            assert len(stale_trials([trial], {}, **args)) == count


def test_a_failed_trial_without_a_follower_is_found(url):
    """A worker that died between its two writes."""
    prepare(url, definition(trials=3))
    backend, _ = opened(url)
    backend.write(pop(url, "x:1:0:0", 1), Writes(state=optuna.trial.TrialState.FAIL), "x:1:0:0")
    found = wrong(trials_of(url))
    assert list(found) == ["followers"]
    assert "ticket 1 is not" in found["followers"]
    assert trials_of(url, retries=0)[0].state == "ok"


def test_a_ticket_that_no_trial_has_is_found(url):
    prepare(url, definition(trials=3))
    found = wrong(trials_of(url, total=5))
    assert list(found) == ["tickets"]
    assert "each of the 5 tickets is in the queue; ticket 3, 4 is not" in found["tickets"]
    assert "has none yet" in wrong(trials_of(url, total=0))["tickets"]


def test_what_others_made_in_a_study_is_left_out(journal):
    prepare(journal, definition(trials=3))
    backend, study_id = opened(journal)
    backend.storage.create_new_trial(study_id)
    assert wrong(trials_of(journal, now=time.time() + 1e6)) == {}


def test_a_study_in_order_says_how_far_it_is(url):
    prepare(url, definition(trials=3))
    work(url)
    prepare(url, definition(trials=5))
    pop(url, "elsewhere/1/2:77:1.00:abc", 3)
    [found] = trials_of(url, total=5)
    assert (found.state, found.text) == ("ok", "3 of 5 tickets are done, 1 running")


def test_every_study_of_a_storage_is_looked_at(url):
    prepare(url, definition(trials=2), name="one")
    prepare(url, definition(trials=2), name="two")
    backend, two = opened(url, "two")
    backend.storage.set_study_user_attr(two, records.STUDY_DATA_HASH, "other")
    backend.add_trials(two, [new_ticket(9)])
    report = look(url)
    assert [(own.study, own.check) for own in report.findings if own.state != "ok"] == [
        ("two", "data")
    ]
    assert not report.sound
    assert look(url, name="one").sound
    assert {own.study for own in look(url, name="one").findings} == {None, "one"}
    assert said(look(url, name="one"), "trials").text == "0 of 2 tickets are done"
