"""Checks of the machine: libraries, disk, clocks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.studies import definition, prepare
from tuner.doctor.machine import check_disk, check_versions, installed, judge_space
from tuner.storage import storage_at
from tuner.storage.clock import judge_clock, judge_file_clock, judge_zone
from tuner.text import size_text

HERE = {"optuna": "4.9.0", "keras": "3.8", "numpy": "2.0rc1"}.get


def test_the_libraries_here_are_those_that_tuner_needs():
    found = check_versions()
    assert found.state == "ok"
    assert f"optuna {installed('optuna')}" in found.text
    assert "tensorflow 2." in found.text


@pytest.mark.parametrize(
    ("needed", "says"),
    [
        ("optuna>=5.0,<6", "optuna<6,>=5.0 (installed: 4.9.0)"),
        ("torch>=2", "torch>=2 (not installed)"),
    ],
)
def test_an_old_or_missing_library_is_named(needed, says):
    found = check_versions([needed, "keras>=3.8", "numpy>=1.26"], HERE)
    assert found.state == "error"
    assert says in found.text
    assert "keras>" not in found.text


def test_extras_and_other_systems_need_not_be_there():
    rules = ["torch>=2; extra == 'gp'", "pywin32; sys_platform == 'none'", "numpy>=1.26"]
    assert check_versions(rules, HERE).state == "ok"


def test_tensorflow_has_several_names(monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def version(name):
        if name == "tensorflow-cpu":
            return "2.20.0"
        raise PackageNotFoundError(name)

    monkeypatch.setattr("tuner.doctor.machine.version", version)
    assert installed("tensorflow") == "2.20.0"
    assert installed("keras") is None


def test_the_disk_is_that_of_the_storage(tmp_path):
    found = check_disk(tmp_path / "not" / "there" / "a.db")
    assert str(tmp_path) in found.text
    assert "not" not in found.text.split(str(tmp_path))[-1]
    assert str(Path.cwd()) in check_disk(None).text


@pytest.mark.parametrize(
    ("free", "state"), [(2**40, "ok"), (2**30 - 1, "warning"), (10 * 2**20, "error")]
)
def test_a_full_disk_is_found(free, state, tmp_path):
    found = judge_space(free, tmp_path)
    assert found.state == state
    assert size_text(free) in found.text


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "+00:00"])
def test_a_session_in_utc_is_right(zone):
    assert judge_zone(zone).state == "ok"


def test_a_session_in_another_time_zone_is_an_error():
    found = judge_zone("Europe/Berlin")
    assert found.state == "error"
    assert "Europe/Berlin" in found.text
    assert "pooler" in found.text


@pytest.mark.parametrize(
    ("difference", "uncertainty", "state", "says"),
    [
        (0.2, 0.01, "ok", "200 ms ahead of"),
        (-4.9, 0.01, "ok", "4.9 s behind"),
        (7.0, 3.0, "ok", "within 3 s"),
        (7.0, 0.1, "warning", "7 s ahead of"),
        (-3600, 0.1, "warning", "60 min behind"),
    ],
)
def test_a_clock_that_differs_is_found(difference, uncertainty, state, says):
    found = judge_clock(difference, uncertainty, "the server's clock")
    assert (found.state, says in found.text) == (state, True)
    assert ("NTP" in found.text) == (state == "warning")


@pytest.mark.parametrize(
    ("stamp", "beat", "state", "says"),
    [
        (100.0, None, "ok", "not ahead of this machine's"),
        (100.0, 99.5, "ok", "agrees with the last writer's"),
        (106.0, None, "warning", "6 s in this machine's future"),
        (90.0, 99.0, "warning", "9 s behind that of the worker"),
        (99.0, 90.0, "warning", "9 s ahead of that of the worker"),
    ],
)
def test_a_file_systems_clock_is_read_off_the_last_write(stamp, beat, state, says):
    found = judge_file_clock(stamp, beat, 100.0)
    assert (found.state, says in found.text) == (state, True)


def test_a_journals_clock_is_compared_with_its_last_heartbeat(tmp_path):
    from tests.support.doctor_tools import pop

    path = tmp_path / "a"

    def check_file_clock(path):
        [found] = storage_at(f"journal:{path}").check_clock(None)
        return found

    prepare(f"journal:{path}", definition(trials=1))
    assert "not ahead" in check_file_clock(path).text
    pop(f"journal:{path}", "x:1:0:0")
    assert "agrees" in check_file_clock(path).text
    stat = path.stat()
    os.utime(path, (stat.st_atime, stat.st_mtime - 60))
    assert "60 s behind" in check_file_clock(path).text
    os.utime(path, (stat.st_atime, stat.st_mtime + 60))
    assert "future" in check_file_clock(path).text
    path.write_bytes(b"")
    assert check_file_clock(path).state == "ok"
