"""Checks of a storage's file: SQLite's soundness, journals, locks."""

from __future__ import annotations

import os
import sqlite3
import time

import pytest

from tests.support.doctor_tools import dead_owner
from tuner.storage import storage_at
from tuner.storage.check_result import Finding
from tuner.storage.journal_repair import mend_tail
from tuner.storage.owner import new_owner
from tuner.storage.sqlite import file_lock

RECORD = b'{"op_code":2,"worker_id":"w","study_id":9,"user_attr":{}}\n'


@pytest.fixture
def database(sqlite):
    from pathlib import Path

    return Path(sqlite.removeprefix("sqlite:///"))


def check_content(path) -> Finding:
    return storage_at(str(path)).check_file()[0]


def check_lock(path) -> Finding:
    return storage_at(str(path)).check_file()[1]


def test_a_sound_sqlite_file_is_left_alone(database):
    before = database.read_bytes(), database.stat().st_mtime_ns
    assert check_content(database).state == "ok"
    assert (database.read_bytes(), database.stat().st_mtime_ns) == before
    assert [file.name for file in database.parent.iterdir()] == ["a.db"]


def test_a_file_in_use_is_read_with_its_log(database):
    with sqlite3.connect(database) as user:
        user.execute("INSERT INTO studies (study_name) VALUES ('a')")
        user.commit()
        assert database.with_name("a.db-wal").exists()
        assert check_content(database).state == "ok"
    user.close()


def test_damage_in_a_sqlite_file_is_found(database):
    content = bytearray(database.read_bytes())
    content[4096 * 3 : 4096 * 4] = os.urandom(4096)
    database.write_bytes(content)
    found = check_content(database)
    assert found.state == "error"
    assert ".recover" in found.text


def test_a_file_that_is_no_database_is_found(tmp_path):
    path = tmp_path / "a.db"
    path.write_text("no database " * 100)
    found = check_content(path)
    assert (found.state, "not a database" in found.text) == ("error", True)


def test_the_lock_of_making_tables_is_stale_never_and_held_sometimes(database):
    assert check_lock(database).state == "ok"
    lock = database.with_name("a.db.lock")
    with file_lock(lock):
        found = check_lock(database)
        assert (found.state, "fuser" in found.text) == ("warning", True)
    assert lock.exists()
    assert check_lock(database).state == "ok"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.log").write_bytes(RECORD * 3)
    return tmp_path / "a.log"


def test_a_whole_journal_is_whole(path):
    found = check_content(path)
    assert (found.state, "all 3 records" in found.text) == ("ok", True)


def test_a_torn_journal_is_found(path):
    path.write_bytes(RECORD * 3 + RECORD[:7])
    found = check_content(path)
    assert found.state == "warning"
    assert "7 bytes behind its last one" in found.text
    assert "tuner doctor --repair" in found.text
    mend_tail(path)
    found = check_content(path)
    assert (found.state, "1 torn pieces are kept" in found.text) == ("ok", True)


def test_a_record_that_is_just_being_appended_is_not_torn(path, monkeypatch):
    path.write_bytes(RECORD * 3 + RECORD[:7])

    def go_on(seconds):
        path.write_bytes(RECORD * 4)

    monkeypatch.setattr("tuner.storage.journal.time.sleep", go_on)
    assert check_content(path).state == "ok"


def test_a_broken_line_before_whole_ones_is_an_error(path):
    path.write_bytes(RECORD + b"x\n" + RECORD)
    found = check_content(path)
    assert found.state == "error"
    assert "line 2 of" in found.text


def test_a_lock_is_judged_by_its_holder(path):
    lock = path.with_name("a.log.lock")
    assert check_lock(path).state == "ok"
    lock.write_text(new_owner())
    found = check_lock(path)
    assert (found.state, f"process {os.getpid()}" in found.text) == ("ok", True)
    lock.write_text(dead_owner())
    found = check_lock(path)
    assert (found.state, "which has ended" in found.text) == ("warning", True)


@pytest.mark.parametrize("kind", ["link", "file", "elsewhere"])
def test_a_lock_of_nobody_knows_whom_is_judged_by_its_age(path, kind, monkeypatch):
    lock = path.with_name("a.log.lock")
    if kind == "link":
        lock.symlink_to(path)
    else:
        lock.write_text("" if kind == "file" else "elsewhere/1/2:77:1.00:abc")
    assert check_lock(path).state == "ok"
    later = time.time() + 90
    monkeypatch.setattr("tuner.storage.journal.time.time", lambda: later)
    found = check_lock(path)
    assert found.state == "warning"
    who = "process 77 on elsewhere" if kind == "elsewhere" else "does not name"
    assert who in found.text


def test_what_a_dead_process_left_beside_the_lock_is_found(path, monkeypatch):
    names = [
        f"a.log.lock.{'0' * 32}",
        f"a.log.{'f' * 32}",
        "a.log.lock5f0e7a52-9d1a-4f5e-8f51-1d2e3f405162.rename",
    ]
    for name in [*names, "a.log.torn-20250101T000000Z", "a.log.bak", f"b.log.{'f' * 32}"]:
        path.with_name(name).touch()
    assert check_lock(path).state == "ok"  # a living process may need them yet
    later = time.time() + 90
    monkeypatch.setattr("tuner.storage.journal.time.time", lambda: later)
    found = check_lock(path)
    assert (found.state, "does no harm" in found.text) == ("warning", True)
    assert f"{', '.join(sorted(names))} was left by" in found.text
