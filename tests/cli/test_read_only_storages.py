"""Commands that read do so in storages that can only be read, and leave nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.studies import definition, prepare, work
from tuner.cli.main import main

COMMANDS = [
    ("studies", "list"),
    ("studies", "show", "study"),
    ("results", "study"),
    ("results", "study", "--trial", "0"),
    ("results", "study", "--cv-results"),
    ("best", "study"),
]


def tuner(capsys, *args):
    with pytest.raises(SystemExit) as end:
        main(list(args))
    out, err = capsys.readouterr()
    return end.value.code, out, err


def make(url: str) -> None:
    prepare(url, definition(trials=3))
    work(url)


def remounted(folder: Path) -> bool:
    """Make a read-only mount of a folder on itself, if that is allowed here."""
    calls = (("--bind", folder, folder), ("-o", "remount,ro,bind", folder))
    return all(
        subprocess.run(["mount", *call], capture_output=True).returncode == 0 for call in calls
    )


@pytest.fixture
def frozen(tmp_path):
    """`frozen(folder)` makes a folder read-only; root may write to any that is not a mount."""
    mounted = []

    def freeze(folder: Path) -> None:
        if os.geteuid() != 0:
            for path in folder.iterdir():
                path.chmod(0o400)
            folder.chmod(0o500)
        elif shutil.which("mount") and remounted(folder):
            mounted.append(folder)
        else:
            pytest.skip("nothing here can be made read-only")

    yield freeze
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)
    if os.geteuid() != 0:
        tmp_path.chmod(0o700)


def url_of(kind: str, folder: Path) -> str:
    folder.mkdir()
    return f"journal:{folder}/a.log" if kind == "journal" else f"sqlite:///{folder}/a.db"


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["sqlite", "stock", "journal"])
def test_a_frozen_folder_is_read(tmp_path, kind, frozen, capsys):
    folder = tmp_path / "kept"
    url = url_of(kind, folder)
    make(url)
    if kind == "stock":  # of Optuna itself: no write-ahead log
        with sqlite3.connect(folder / "a.db") as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    told = [tuner(capsys, *command, "--storage", url)[:2] for command in COMMANDS]
    frozen(folder)
    before = contents(folder)
    assert [tuner(capsys, *command, "--storage", url)[:2] for command in COMMANDS] == told
    assert [code for code, _ in told] == [0] * len(COMMANDS)
    assert tuner(capsys, "doctor", "--storage", url)[0] in (0, 1)  # its data are made up
    code, _, err = tuner(capsys, "studies", "delete", "study", "--yes", "--storage", url)
    assert (code, "is not writable" in err) == (4, True)
    assert contents(folder) == before


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_reading_leaves_no_file_where_it_could(tmp_path, kind, capsys):
    folder = tmp_path / "kept"
    url = url_of(kind, folder)
    make(url)
    for path in folder.glob("*.lock"):
        path.unlink()
    before = contents(folder)
    for command in (*COMMANDS, ("doctor",)):
        tuner(capsys, *command, "--storage", url)
        assert contents(folder) == before, command


def test_a_log_that_a_dead_writer_left_is_read_too(tmp_path, frozen, capsys):
    """Kept as a snapshot of the disk keeps it: with what is not in the main file yet."""
    living, folder = tmp_path / "living", tmp_path / "kept"
    url = url_of("sqlite", living)
    make(url)
    holder = sqlite3.connect(living / "a.db")
    holder.execute("BEGIN")
    holder.execute("SELECT count(*) FROM trials").fetchall()
    prepare(url, definition(trials=4, seed=1), name="later")
    assert (living / "a.db-wal").stat().st_size > 0
    shutil.copytree(living, folder)
    holder.close()
    kept = f"sqlite:///{folder}/a.db"
    frozen(folder)
    _, out, _ = tuner(capsys, "studies", "list", "--storage", kept, "--format", "json")
    assert [row["study"] for row in json.loads(out)] == ["study", "later"]


def test_a_log_without_its_index_is_refused_not_left_out(tmp_path, frozen, capsys):
    living, folder = tmp_path / "living", tmp_path / "kept"
    url = url_of("sqlite", living)
    make(url)
    holder = sqlite3.connect(living / "a.db")
    holder.execute("SELECT count(*) FROM trials").fetchall()
    prepare(url, definition(trials=4, seed=1), name="later")
    folder.mkdir()
    for name in ("a.db", "a.db-wal"):
        shutil.copy(living / name, folder)
    holder.close()
    frozen(folder)
    code, out, err = tuner(capsys, "studies", "list", "--storage", f"sqlite:///{folder}/a.db")
    assert (code, out) == (4, "")
    assert "Available: a copy of both files" in err


@pytest.mark.slow
def test_a_user_who_may_only_select_reads(postgres, capsys):
    import sqlalchemy

    from tests.support.storage_place import driver_url

    make(postgres)
    engine = sqlalchemy.create_engine(driver_url(postgres), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in (
            "DROP ROLE IF EXISTS looker",
            "CREATE ROLE looker LOGIN PASSWORD 'looks'",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker",
        ):
            connection.execute(sqlalchemy.text(statement))
    url = sqlalchemy.make_url(postgres).set(username="looker", password="looks")
    text = url.render_as_string(hide_password=False)
    told = [tuner(capsys, *command, "--storage", postgres)[:2] for command in COMMANDS]
    seen = [tuner(capsys, *command, "--storage", text)[:2] for command in COMMANDS]
    assert [code for code, _ in seen] == [0] * len(COMMANDS)
    assert seen[0] == told[0]
    assert [out for _, out in seen[2:]] == [out for _, out in told[2:]]
    assert tuner(capsys, "doctor", "--storage", text)[0] in (0, 1)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("DROP OWNED BY looker"))
        connection.execute(sqlalchemy.text("DROP ROLE looker"))
    engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_the_dashboard_shows_a_frozen_folder(tmp_path, kind, frozen):
    folder = tmp_path / "kept"
    url = url_of(kind, folder)
    make(url)
    frozen(folder)
    before = contents(folder)
    command = [sys.executable, "-m", "tuner.cli.main", "serve", "study", "--port", "0"]
    with subprocess.Popen(
        [*command, "--storage", url], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.match(r"(http://[^/]+)/dashboard/studies/(\d+)", line)
            assert found, line
            page = f"{found[1]}/api/studies/{found[2]}?after=0"
            with urllib.request.urlopen(page, timeout=60) as answer:
                assert len(json.load(answer)["trials"]) == 3
        finally:
            process.terminate()
    assert contents(folder) == before
