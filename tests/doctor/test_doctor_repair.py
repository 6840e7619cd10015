"""Repairs: each does what it says, and nothing the second time."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.support.doctor_tools import contents, dead_owner, look, opened, pop, said, wrong
from tests.support.studies import definition, load, prepare, work
from tuner.doctor import repair, time_write
from tuner.errors import StorageError, UsageError
from tuner.search.tickets import new_ticket, read_counts
from tuner.storage import records
from tuner.storage.backend import Writes
from tuner.storage.owner import new_owner

GRID = {"batch_size": {"choices": [16, 32]}, "initializer": {"choices": ["zeros", "he_normal"]}}


@pytest.fixture
def path(journal):
    return Path(journal.removeprefix("journal:"))


def done(url, **settings):
    """Check and text of what was repaired."""
    return [(own.check, own.text) for own in repair(url, **settings)]


def test_there_is_nothing_to_repair_where_all_is_well(url, tmp_path):
    prepare(url, definition(trials=2))
    work(url)
    before = contents(tmp_path)
    assert done(url) == []
    assert contents(tmp_path) == before


def test_a_torn_journal_is_mended_and_goes_on(journal, path):
    prepare(journal, definition(trials=3))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:9])
    assert list(wrong(look(journal))) == ["journal"]
    [(check, text)] = done(journal)
    assert check == "journal"
    assert "cut 9 bytes behind the journal's last whole record, kept in a.torn-" in text
    assert path.read_bytes() == whole
    [kept] = path.parent.glob("a.torn-*")
    assert kept.read_bytes() == whole[:9]
    before = contents(path.parent)
    assert done(journal) == []
    assert contents(path.parent) == before
    assert wrong(look(journal)) == {}
    work(journal)
    assert read_counts(load(journal)).done == 3


def test_broken_lines_are_taken_out_and_a_glued_record_is_kept(journal, path):
    prepare(journal, definition(trials=2))
    lines = path.read_bytes().splitlines(True)
    path.write_bytes(b"".join(lines[:-1]) + lines[0][:30] + lines[-1] + lines[-1])
    [(check, text)] = done(journal)
    assert check == "journal"
    assert "broken lines out of the journal" in text
    assert "1 whole record among them was kept" in text
    assert path.read_bytes() == b"".join(lines) + lines[-1]
    assert done(journal) == []
    assert wrong(look(journal)) == {}


def test_a_journal_that_a_living_process_writes_to_is_left_alone(journal, path, monkeypatch):
    prepare(journal, definition(trials=2))
    path.write_bytes(path.read_bytes()[:-9])
    lock = path.with_name("a.lock")
    lock.write_text(new_owner())
    monkeypatch.setattr("tuner.storage.journal.PATIENCE", 0.05)
    before = contents(path.parent)
    with pytest.raises(StorageError, match=f"by process {os.getpid()} on .* end that process"):
        repair(journal)
    assert contents(path.parent) == before


def test_the_lock_of_a_dead_process_is_removed(journal, path):
    prepare(journal, definition(trials=2))
    lock = path.with_name("a.lock")
    lock.write_text(dead_owner())
    assert "locks" in wrong(look(journal))
    [(check, text)] = done(journal)
    assert (check, "which has ended" in text) == ("locks", True)
    assert not lock.exists()
    assert done(journal) == []
    assert wrong(look(journal)) == {}


def test_what_a_dead_process_left_is_removed(journal, path, monkeypatch):
    prepare(journal, definition(trials=2))
    left = path.with_name(f"a.lock.{'0' * 32}")
    left.touch()
    assert done(journal) == []
    later = time.time() + 90
    monkeypatch.setattr("tuner.storage.journal.time.time", lambda: later)
    assert done(journal) == [("locks", f"removed {left.name}, which a dead process had left")]
    assert not left.exists()


def test_the_trial_of_a_dead_process_waits_again(url):
    prepare(url, definition(trials=2))
    pop(url, dead_owner())
    assert list(wrong(look(url))) == ["stale trials"]
    [(check, text)] = done(url)
    assert check == "stale trials"
    assert "ended without finishing it; its ticket waits again" in text
    # A busy machine may be slow to answer, which is a warning of its own.
    assert wrong(look(url)).keys() <= {"storage"}
    assert [trial.state.name for trial in load(url).trials] == ["FAIL", "WAITING", "WAITING"]
    assert done(url) == []
    work(url)
    counts = read_counts(load(url))
    assert (counts.total, counts.complete + counts.pruned) == (2, 2)


def test_a_silent_trial_of_another_machine_is_watched_first(url):
    prepare(url, definition(trials=2))
    pop(url, "elsewhere/1/2:77:1.00:abc")
    lines: list[str] = []
    assert done(url, grace=60.0, tell=lines.append) == []  # not silent for long enough
    assert lines == []
    until = time.monotonic() + 60
    while not wrong(look(url, grace=0.01)) and time.monotonic() < until:
        time.sleep(0.05)  # SQLite's clock has whole seconds
    [(check, text)] = done(url, grace=0.01, interval=0.1, tell=lines.append)
    assert (check, "no heartbeat" in text) == ("stale trials", True)
    assert "study: watching 1 silent trials" in lines[0]
    assert [trial.state.name for trial in load(url).trials] == ["FAIL", "WAITING", "WAITING"]


def test_a_trial_that_only_looked_silent_is_left_alone(sqlite):
    """Its heart beats while it is watched."""
    prepare(sqlite, definition(trials=1))
    trial_id = pop(sqlite, "elsewhere/1/2:77:1.00:abc")
    backend, _ = opened(sqlite)

    def beat(line):
        with sqlite3.connect(sqlite.removeprefix("sqlite:///")) as connection:
            connection.execute("UPDATE trial_heartbeats SET heartbeat = '2999-01-01 00:00:00'")
        connection.close()

    with sqlite3.connect(sqlite.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")
    connection.close()
    assert done(sqlite, grace=5.0, interval=0.3, tell=beat) == []
    assert backend.storage.get_trial(trial_id).state == TrialState.RUNNING


def test_a_failed_trial_without_a_follower_is_queued_again(url):
    prepare(url, definition(trials=2))
    backend, _ = opened(url)
    backend.write(pop(url, "x:1:0:0"), Writes(state=TrialState.FAIL), "x:1:0:0")
    assert done(url) == [("followers", "queued ticket 0 again")]
    assert done(url) == []
    assert read_counts(load(url)).waiting == 2


@pytest.mark.parametrize("sampler", ["tpe", "grid"])
def test_lost_tickets_are_queued(url, sampler):
    made = definition(GRID, sampler=sampler, trials=4)
    prepare(url, made, trials=2)
    backend, study_id = opened(url)
    backend.set_total(study_id, 4, lower=False)
    assert "ticket 2, 3 is not" in wrong(look(url))["tickets"]
    assert done(url) == [("tickets", "queued ticket 2, 3")]
    assert done(url) == []
    trials = load(url).trials
    assert [trial.user_attrs[records.TICKET] for trial in trials] == [0, 1, 2, 3]
    if sampler == "grid":
        tried = [tuple(sorted(trial.system_attrs["fixed_params"].items())) for trial in trials]
        assert len(set(tried)) == 4
    work(url)
    assert read_counts(load(url)).done == 4


def test_only_the_study_that_was_named_is_repaired(journal):
    for name in ("one", "two"):
        prepare(journal, definition(trials=1), name=name)
        backend, study_id = opened(journal, name)
        assert backend.pop(backend.trials(study_id)[0]._trial_id, dead_owner())
    assert [own.study for own in repair(journal, name="two")] == ["two"]
    assert [own.study for own in repair(journal)] == ["one"]
    with pytest.raises(UsageError, match="unknown study 'three'"):
        repair(journal, name="three")


def test_what_tuner_did_not_make_is_not_repaired(sqlite):
    import optuna

    study = optuna.create_study(storage=sqlite, study_name="stock")
    study.ask()
    prepare(sqlite, definition(trials=1))
    backend, study_id = opened(sqlite)
    backend.storage.set_study_user_attr(study_id, records.STUDY_VERSION, records.VERSION + 1)
    backend.add_trials(study_id, [new_ticket(5)])
    assert done(sqlite) == []


@pytest.mark.parametrize("name", ["a.db", "a.log"])
def test_a_storage_that_is_not_there_is_not_made(tmp_path, name, monkeypatch):
    for call in (repair, time_write):
        with pytest.raises(StorageError, match="does not exist"):
            call(str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.chdir(tmp_path)
    for name_ in ("TUNER_STORAGE", "OPTUNA_STORAGE"):
        monkeypatch.delenv(name_, raising=False)
    assert (repair(None), time_write(None)) == ([], None)
    assert list(tmp_path.iterdir()) == []


def test_no_tables_are_made(tmp_path):
    path = tmp_path / "a.db"
    sqlite3.connect(path).execute("PRAGMA journal_mode=WAL").connection.close()
    assert (repair(str(path)), time_write(str(path))) == ([], None)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_a_write_step_changes_nothing(url, tmp_path):
    prepare(url, definition(trials=2))
    before = load(url).user_attrs, len(load(url).trials), sorted(os.listdir(tmp_path))
    step = time_write(url)
    assert step.seconds > 0
    assert (load(url).user_attrs, len(load(url).trials), sorted(os.listdir(tmp_path))) == before
    report = look(url, write=step)
    assert "a write step takes" in said(report, "storage").text
    if url.startswith("journal"):
        assert abs(step.ahead) < 5
        assert "the file system's clock is" in said(report, "clock").text
