"""All checks together: what is found, and that nothing is written."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from tests.support.doctor_tools import contents, dead_owner, look, opened, pop, said, wrong
from tests.support.studies import definition, prepare, work
from tuner.errors import UsageError
from tuner.storage import open_storage, storage_at
from tuner.storage.journal_repair import scan_journal


@pytest.fixture(autouse=True)
def no_storage_in_the_environment(monkeypatch):
    for name in ("TUNER_STORAGE", "OPTUNA_STORAGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_all_is_well(request, kind):
    url = request.getfixturevalue(kind)
    prepare(url, definition(trials=2))
    work(url)
    report = look(url)
    assert wrong(report) == {}
    assert (report.sound, report.reachable) == (True, True)
    checks = [finding.check for finding in report.findings]
    assert len(checks) == len(set(checks))
    assert {"storage", "versions", "disk", "clock", "definition", "data", "trials"} <= set(checks)
    assert ("schema" in checks) == (kind == "sqlite")
    assert "a read step takes" in said(report, "storage").text


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_nothing_is_written(request, kind, tmp_path):
    """Not in a storage at rest, and not in one that a dead process left broken."""
    url = request.getfixturevalue(kind)
    prepare(url, definition(trials=3))
    work(url, stop=lambda: True)
    pop(url, dead_owner())
    still_open = opened(url)  # who closes a SQLite file last folds its log into it
    if kind == "journal":
        path = Path(url.removeprefix("journal:"))
        with path.open("ab") as file:
            file.write(b'{"op_code":4,"wor')
        path.with_name("a.lock").write_text(dead_owner())

    def kept():
        # Not the shared memory through which those who have a SQLite file open see each other.
        return {k: v for k, v in contents(tmp_path).items() if not k.endswith("-shm")}

    before = kept()
    names = sorted(os.listdir(tmp_path))
    report = look(url)
    expected = {"stale trials"} | ({"journal", "locks"} if kind == "journal" else set())
    assert set(wrong(report)) == expected
    assert kept() == before
    assert sorted(os.listdir(tmp_path)) == names
    del still_open


KILLED = """
import os, signal, sys
from tests.support.studies import definition, prepare
from tuner.storage import open_storage, storage_at
prepare(sys.argv[1], definition(trials=2))
open_storage(sys.argv[1]).get_all_studies()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_the_log_of_a_killed_process_is_read(sqlite, tmp_path):
    ended = subprocess.run([sys.executable, "-c", KILLED, sqlite], timeout=120)
    assert ended.returncode == -signal.SIGKILL
    names = sorted(os.listdir(tmp_path))
    assert "a.db-wal" in names
    report = look(sqlite)
    assert wrong(report) == {}
    assert said(report, "trials").text == "0 of 2 tickets are done"
    # SQLite may write the log into the file once nobody else has it open; nothing is added.
    assert set(os.listdir(tmp_path)) <= set(names)
    assert said(look(sqlite), "trials").text == "0 of 2 tickets are done"


def test_a_storage_opened_to_be_read_refuses_to_write(sqlite):
    prepare(sqlite, definition(trials=2))
    with storage_at(sqlite).open_read_only() as storage:
        study_id = storage.get_study_id_from_name("study")
        with pytest.raises(optuna.exceptions.StorageInternalError):
            storage.set_study_user_attr(study_id, "a", 1)


@pytest.mark.parametrize("name", ["a.db", "a.log"])
def test_a_storage_that_is_not_there_is_unreachable_and_not_made(tmp_path, name):
    report = look(str(tmp_path / name))
    assert (report.reachable, report.sound) == (False, False)
    assert "does not exist" in wrong(report)["storage"]
    assert list(tmp_path.iterdir()) == []


def test_the_default_storage_need_not_be_there_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = look(None)
    assert (report.reachable, report.sound) == (True, True)
    assert "is made when it is first used" in said(report, "storage").text
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_has_no_tables_yet(tmp_path):
    path = tmp_path / "a.db"
    sqlite3.connect(path).execute("PRAGMA journal_mode=WAL").connection.close()
    before = contents(tmp_path)
    report = look(str(path))
    assert (report.reachable, wrong(report)) == (True, {})
    assert "no tables yet" in said(report, "schema").text
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("revision", "says"), [("v99.0.0.a", "a newer one made it"), ("v2.6.0.a", "storage upgrade")]
)
def test_the_schema_of_another_optuna_is_found(sqlite, revision, says):
    with sqlite3.connect(sqlite.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()
    report = look(sqlite)
    assert (report.reachable, report.sound) == (True, False)
    assert says in wrong(report)["schema"]


def test_a_file_that_is_no_database_is_found(tmp_path):
    (tmp_path / "a.db").write_text("no database " * 100)
    report = look(str(tmp_path / "a.db"))
    assert set(wrong(report)) == {"storage", "integrity"}
    assert not report.reachable


def test_a_damaged_database_is_an_error_and_no_traceback(sqlite):
    prepare(sqlite, definition(trials=2))
    path = Path(sqlite.removeprefix("sqlite:///"))
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[4096 * page : 4096 * page + 100] = os.urandom(100)
    path.write_bytes(content)
    report = look(sqlite)
    assert "integrity" in wrong(report)
    assert not report.sound


def test_a_journal_that_nobody_can_read_is_an_error(tmp_path):
    path = tmp_path / "a.log"
    prepare(f"journal:{path}", definition(trials=2))
    lines = path.read_bytes().splitlines(True)
    path.write_bytes(b"".join(lines[:3]) + b"torn\n" + b"".join(lines[3:]))
    report = look(f"journal:{path}")
    assert set(wrong(report)) == {"journal"}
    assert (report.reachable, report.sound) == (True, False)


def test_an_unknown_study_is_named_with_those_there_are(url):
    prepare(url, definition(trials=2))
    with pytest.raises(UsageError, match="unknown study 'studi'; did you mean study"):
        look(url, name="studi")


def test_a_study_of_something_else_is_no_matter(sqlite):
    optuna.create_study(storage=open_storage(sqlite), study_name="stock").optimize(
        lambda trial: 1.0, n_trials=1
    )
    report = look(sqlite)
    assert wrong(report) == {}
    assert "something else than tuner" in said(report, "definition").text


def test_a_slow_storage_is_found(sqlite, monkeypatch):
    monkeypatch.setattr(sys.modules["tuner.doctor.examine"], "time_read", lambda storage: 3.0)
    assert "a read step takes 3 s: is the network slow" in wrong(look(sqlite))["storage"]


def test_a_server_that_is_away_is_unreachable(monkeypatch):
    pytest.importorskip("psycopg")
    report = look("postgresql+psycopg://u:secret@127.0.0.1:9/d")
    assert (report.reachable, report.sound) == (False, False)
    assert "u:***@127.0.0.1:9" in wrong(report)["storage"]


@pytest.mark.slow
def test_a_servers_clock_time_zone_and_version_are_asked_for(postgres):
    prepare(postgres, definition(trials=2))
    report = look(postgres)
    assert wrong(report) == {}
    assert "PostgreSQL 1" in said(report, "storage").text
    assert "the server's clock is" in said(report, "clock").text
    assert "UTC" in said(report, "time zone").text
    with storage_at(postgres).open_read_only() as storage:
        study_id = storage.get_study_id_from_name("study")
        with pytest.raises(optuna.exceptions.StorageInternalError):
            storage.set_study_user_attr(study_id, "a", 1)


@pytest.mark.slow
def test_the_tables_of_a_server_are_not_made(empty_postgres):
    for _ in range(2):
        assert "no tables yet" in said(look(empty_postgres), "schema").text


@pytest.mark.slow
def test_a_proxy_is_asked_like_a_storage(proxy):
    prepare(proxy, definition(trials=2))
    report = look(proxy)
    assert wrong(report) == {}
    assert said(report, "storage").text.startswith("a gRPC proxy at grpc://")


def test_scanning_is_all_a_torn_journal_needs(tmp_path):
    path = tmp_path / "a.log"
    prepare(f"journal:{path}", definition(trials=2))
    with path.open("ab") as file:
        file.write(bytes(1000))
    assert "1000 bytes behind" in wrong(look(str(path)))["journal"]
    assert scan_journal(path).torn == 1000
