"""A file that is no storage is refused and left as it is, whoever asks for it."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from tuner.cli.main import main
from tuner.storage import open_storage

NAMES = ["x.db", "x.log"]


def text(path: Path) -> None:
    path.write_text("12:00 it begins\n{}\n[1]\n" * 20)


def short(path: Path) -> None:
    path.write_text("x")


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(255, -1, -1)) * 40)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(8192))


def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", "b")


def folder(path: Path) -> None:
    path.mkdir()


def _database(path: Path, *commands: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for command in commands:
            connection.execute(command)
        connection.commit()


def others(path: Path) -> None:
    _database(path, "CREATE TABLE songs (name TEXT)", "INSERT INTO songs VALUES ('a')")


def others_with_log(path: Path) -> None:
    _database(path, "PRAGMA journal_mode=WAL", "CREATE TABLE songs (name TEXT)")


def another_alembic(path: Path) -> None:
    version = "INSERT INTO alembic_version VALUES ('a1')"
    tables = "CREATE TABLE songs (name TEXT)", "CREATE TABLE alembic_version (version_num TEXT)"
    _database(path, *tables, version)


def same_names(path: Path) -> None:
    trials = "CREATE TABLE trials (patient TEXT, dose REAL)"
    _database(path, trials, "CREATE TABLE studies (title TEXT)")


CONTENTS = [
    text, short, noise, zeros, archive, folder, others, others_with_log, another_alembic,
    same_names,
]  # fmt: skip
RECORDS = {
    "an operation of a newer Optuna": '{"op_code": 99, "worker_id": "a"}',
    "a number as text": '{"op_code": "0", "worker_id": "a", "study_name": "s"}',
    "a field too few": '{"op_code": 0, "worker_id": "a"}',
    "a field of no kind": '{"op_code": 0, "worker_id": "a", "study_name": "s", "directions": 7}',
    "a time that is none": '{"op_code": 4, "worker_id": "a", "study_id": 0, "datetime_start": "x"}',
}  # fmt: skip
COMMANDS = [
    ["studies", "list"],
    ["studies", "show", "s"],
    ["studies", "delete", "s", "--yes"],
    ["results", "s"],
    ["best", "s"],
    ["resume", "s"],
    ["worker", "--name", "s"],
    ["export", "s", "--out", "new"],
    ["serve"],
    ["doctor"],
    ["doctor", "--repair"],
    ["plan", "--space", "sgd_decay", "--data", "csv:few.csv"],
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", CONTENTS, ids=lambda make: make.__name__)
def test_it_is_left_as_it_is(name, make, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    make(path)
    Path("few.csv").write_text("a,y\n" + "1,2\n3,4\n" * 20)
    before = state(tmp_path)
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([*command, "--storage", name])
        captured = capsys.readouterr()
        said = captured.err + captured.out
        assert ended.value.code in ((1, 4) if command == ["doctor"] else (4,))
        assert "Traceback" not in said
        assert name in said
        assert state(tmp_path) == before, command
    with pytest.raises(Exception, match=name):
        open_storage(name)
    assert state(tmp_path) == before


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_journal_that_optuna_cannot_replay_is_left_as_it_is(
    record, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    whole = '{"op_code": 0, "worker_id": "b", "study_name": "first", "directions": [1]}'
    Path("x.log").write_text(f"{whole}\n{record}\n{whole.replace('first', 'last')}\n")
    before = state(tmp_path)
    for command in (COMMANDS[0], COMMANDS[2], COMMANDS[5], *COMMANDS[-4:-1]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--storage", "x.log"])
        captured = capsys.readouterr()
        said = captured.err + captured.out
        assert ended.value.code == 4
        assert "Traceback" not in said
        assert "x.log" in said
        assert state(tmp_path) == before, command


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_and_one_begun_are_storages(name, tmp_path):
    path = tmp_path / name
    path.touch()
    open_storage(str(path)).get_all_studies()
    if name == "x.log":
        path.write_bytes(b'{"op_code": 0, "worker')
        assert open_storage(str(path)).get_all_studies() == []


def test_tables_that_were_begun_are_finished(tmp_path):
    path = tmp_path / "x.db"
    _database(path, "CREATE TABLE version_info (version_info_id INTEGER PRIMARY KEY)")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE version_info")
    assert open_storage(str(path)).get_all_studies() == []
