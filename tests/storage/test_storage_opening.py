"""Opening storages: made once by many, refused unchanged where they cannot be used."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from tests.support.storage_place import driver_url
from tuner.doctor.examine import examine
from tuner.doctor.machine import check_disk
from tuner.errors import StorageError, StudyConflictError, UsageError
from tuner.search.loop import run_worker
from tuner.storage import open_storage, storage_at
from tuner.storage.retry import Retry

# Imports once and forks, so that eight processes begin within a millisecond.
RACE = """
import os, sys, time
import optuna, sqlalchemy.orm, alembic.script, alembic.migration
from tuner.storage import open_storage
import tuner.storage.sqlite_locking, tuner.storage.database, tuner.storage.server
begin = time.time() + 0.3
children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            time.sleep(max(0.0, begin - time.time()))
            code = len(open_storage(sys.argv[1]).get_all_studies())
        finally:
            os._exit(code)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def new_url(request, tmp_path):
    """A database that nobody has used."""
    if request.param == "postgres":
        return request.getfixturevalue("empty_postgres")
    return f"sqlite:///{tmp_path}/new/tuner.db"


def test_eight_processes_open_a_new_database_at_a_time(new_url):
    ended = subprocess.run(
        [sys.executable, "-c", RACE, new_url], capture_output=True, text=True, timeout=120
    )
    assert ended.stdout.strip() == str([0] * 8), ended.stderr
    # What stock Optuna makes of it: a schema it takes for its own.
    url = new_url if new_url.startswith("sqlite:") else driver_url(new_url)
    stock = optuna.storages.RDBStorage(url)
    assert stock.get_current_version() == stock.get_head_version()


def test_sqlite_has_a_write_ahead_log_and_takes_the_lock_first(tmp_path):
    storage = open_storage(str(tmp_path / "a.db"))
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    study_id = storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], "a")
    # With the write lock held elsewhere a reader goes on, and a writer would wait.
    with sqlite3.connect(tmp_path / "a.db", isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert storage.get_all_trials(study_id) == []
        assert storage.get_study_id_from_name("a") == study_id


def look(place):
    with place.open_read_only() as storage:
        storage.get_all_studies()


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
@pytest.mark.parametrize(
    "step",
    [
        look,
        lambda place: place.open(create=False),
        lambda place: place.close(place.open()),
        lambda place: place.check_file(),
        lambda place: place.check_schema(),
        lambda place: place.time_write(),
        lambda place: place.repair_file(),
        lambda place: place.explain(sqlite3.OperationalError("disk I/O error")),
        lambda place: place.lost(),
        lambda place: examine(str(place)),
        lambda place: check_disk(place.file),
    ],
    ids=[
        *("look", "open", "close", "check_file", "check_schema", "time_write", "repair_file"),
        *("explain", "lost", "doctor", "disk"),
    ],
)
def test_a_step_keeps_the_locks_that_its_process_has(sqlite, step):
    """POSIX drops them all when any descriptor of the file is closed. Another process, ending,
    then takes the log for nobody's and removes it under us: two logs, and a broken file."""
    place = storage_at(sqlite)
    open_here = place.open()
    study_id = open_here.create_new_study([optuna.study.StudyDirection.MINIMIZE], "a")
    step(place)
    log = place.file.with_name("a.db-wal")
    before = log.stat().st_ino
    another = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*c.execute({}))"
    run = [
        sys.executable,
        "-c",
        another.format("'SELECT study_name FROM studies'"),
        str(place.file),
    ]
    assert "a" in subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert log.stat().st_ino == before
    open_here.set_study_user_attr(study_id, "b", 1)
    run[2] = another.format("'SELECT key FROM study_user_attributes'")
    assert "b" in subprocess.run(run, capture_output=True, text=True, check=True).stdout


def test_a_write_lock_outlives_a_look(sqlite):
    """In the older way of SQLite's, without a log, the file's own locks keep writers apart."""
    place, other = storage_at(sqlite), "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], 0)\n"
    with closing(sqlite3.connect(place.file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN IMMEDIATE")
        look(place)
        run = [sys.executable, "-c", f"{other}c.execute('BEGIN IMMEDIATE')", str(place.file)]
        ended = subprocess.run(run, capture_output=True, text=True)
        assert "database is locked" in ended.stderr


@pytest.mark.parametrize("left", [0, 4096, 20480, 65536])
def test_a_full_disk_is_read(small_disk, empty_database, left):
    """SQLite's own reading of a write-ahead log takes 32 KB."""
    place = storage_at(str(small_disk.folder / "a.db"))
    shutil.copy(empty_database, place.file)
    small_disk.fill(left)
    for _ in range(2):
        look(place)
    small_disk.make_room()
    look(place)
    assert [file.name for file in small_disk.folder.iterdir()] == ["a.db"]


@pytest.mark.parametrize("create", [True, False])
def test_no_connection_makes_a_file_in_place_of_one_that_was_deleted(sqlite, create):
    place = storage_at(sqlite)
    storage = place.open(create=create)
    place.close(storage)
    assert place.lost() is None
    for file in place.file.parent.glob("a.db*"):
        file.unlink()
    with pytest.raises(StorageError, match="deleted or moved away"):
        Retry(patience=1.0, storage=place)(storage.get_all_studies)
    assert not place.file.exists()


def changed(path: Path) -> tuple[bytes, list[str]]:
    return path.read_bytes(), sorted(item.name for item in path.parent.iterdir())


def set_revision(path: Path, revision: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        connection.execute("DROP TABLE trial_heartbeats")  # a table that Optuna would add


@pytest.mark.parametrize(
    ("revision", "says"),
    [("v99.0.0.a", "a newer one made it"), ("v2.6.0.a", "optuna storage upgrade")],
)
def test_the_schema_of_another_optuna_is_refused_and_left_alone(tmp_path, revision, says):
    path = tmp_path / "a.db"
    optuna.storages.RDBStorage(f"sqlite:///{path}").engine.dispose()
    set_revision(path, revision)
    before = changed(path)
    with pytest.raises(StorageError, match=revision) as error:
        open_storage(f"sqlite:///{path}")
    assert says in str(error.value)
    assert error.value.exit_code == 4
    assert changed(path) == before


def test_a_stock_optuna_file_is_opened_as_it_is(tmp_path):
    optuna.create_study(storage=f"sqlite:///{tmp_path}/a.db", study_name="stock")
    storage = open_storage(str(tmp_path / "a.db"))
    assert [study.study_name for study in storage.get_all_studies()] == ["stock"]


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "a.db"
    path.write_text("no database " * 100)
    with pytest.raises(StorageError, match="a SQLite storage is a SQLite file"):
        open_storage(str(path))
    assert path.read_text() == "no database " * 100


@pytest.mark.parametrize("name", ["a.db", "a.log"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="can be read and written"):
        open_storage(str(tmp_path / "file" / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("name", ["a.db", "a.log"])
def test_a_folder_without_permission_is_refused(tmp_path, name):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="not writable"):
        open_storage(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.db", "a.log"])
def test_permissions_are_asked_for_before_the_first_trial(tmp_path, name, monkeypatch):
    open_storage(str(tmp_path / name))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(StorageError, match="not writable"):
        open_storage(str(tmp_path / name))


@pytest.mark.parametrize("name", ["sub/a.db", "sub/a.log"])
def test_folders_are_made_unless_the_storage_has_to_exist(tmp_path, name):
    with pytest.raises(StorageError, match="does not exist"):
        open_storage(str(tmp_path / name), create=False)
    assert not (tmp_path / "sub").exists()
    open_storage(str(tmp_path / name))
    assert (tmp_path / name).exists()


def test_a_journal_with_a_broken_record_before_whole_ones_is_refused(tmp_path):
    path = tmp_path / "a.log"
    whole = '{"op_code": 2, "worker_id": "w", "study_id": 9, "user_attr": {}}\n'
    path.write_text('{"op_code": 0, "worker_id"\n' + whole)
    with pytest.raises(StorageError, match="no readable journal"):
        open_storage(str(path))


def test_an_unreachable_server_is_named_without_its_password():
    with pytest.raises(StorageError, match="cannot be reached or used") as error:
        open_storage("postgresql://u:secret@127.0.0.1:9/d")
    assert "secret" not in str(error.value)
    assert "u:***@127.0.0.1:9" in str(error.value)


def test_a_port_that_is_no_number_is_named_without_the_password():
    with pytest.raises(UsageError, match="port is a number") as error:
        open_storage("postgresql://u:secret@host:port/d")
    assert "secret" not in str(error.value)


def test_a_worker_refuses_a_study_of_something_else(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    optuna.create_study(storage=open_storage(url), study_name="stock")
    with pytest.raises(StudyConflictError, match="something else made it"):
        run_worker(url, "stock", stop=lambda: False, on_event=lambda event: None)
