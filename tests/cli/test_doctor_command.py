"""`tuner doctor`: what it prints, what it writes, how it exits."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest

from tuner.cli.main import main
from tuner.search.prepare import prepare_study
from tuner.spaces import Space
from tuner.study.definition import StudyDefinition

SPACE = {"name": "rates", "params": {"optimizer.learning_rate": {"low": 1e-4, "high": 1.0}}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tuner.storage.journal.LOOK_AGAIN", 0.0)
    monkeypatch.delenv("TUNER_STORAGE", raising=False)
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)
    return tmp_path


@pytest.fixture
def journal(folder):
    """A study on a file of its own."""
    np.savez("data.npz", X=np.arange(80.0).reshape(40, 2), y=np.arange(40) % 2)
    definition = StudyDefinition(
        space=Space.from_dict(SPACE),
        trials=3,
        data={"uri": "npz:data.npz"},  # type: ignore[arg-type]
    )
    prepare_study(definition, name="one", storage_url="journal:a.log", trials=None)
    return folder / "a.log"


def tuner(capsys, *args):
    with pytest.raises(SystemExit) as exit_:
        main(list(args))
    out, err = capsys.readouterr()
    return exit_.value.code, out, err


def wrong(out):
    return {row["check"]: row for row in json.loads(out) if row["state"] != "ok"}


def test_all_is_well(journal, capsys):
    before = journal.read_bytes()
    code, out, err = tuner(capsys, "doctor", "--storage", "a.log")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("ok        storage     a journal at journal:a.log")
    assert "study one" in lines
    assert lines[-1] == "10 checks: 0 errors, 0 warnings"
    assert journal.read_bytes() == before
    assert sorted(file.name for file in journal.parent.iterdir()) == ["a.log", "data.npz"]


def test_the_forms_hold_the_same_rows(journal, capsys):
    from ruamel.yaml import YAML

    args = ("doctor", "--storage", "a.log", "--name", "one", "--format")
    rows = json.loads(tuner(capsys, *args, "json")[1])
    assert [list(row) for row in rows] == [["check", "state", "study", "message"]] * len(rows)
    assert {row["state"] for row in rows} == {"ok"}
    assert {row["study"] for row in rows} == {None, "one"}
    as_csv = list(csv.DictReader(io.StringIO(tuner(capsys, *args, "csv")[1])))
    as_yaml = YAML(typ="safe", pure=True).load(tuner(capsys, *args, "yaml")[1])
    checks = [row["check"] for row in rows]
    assert [row["check"] for row in as_csv] == [row["check"] for row in as_yaml] == checks


def test_an_error_is_exit_code_1_and_a_warning_is_not(journal, capsys):
    data = journal.with_name("data.npz")
    np.savez(data, X=np.ones((40, 2)), y=np.arange(40) % 2)
    code, out, err = tuner(capsys, "doctor", "--storage", "a.log", "--format", "json")
    assert (code, err) == (1, "")
    assert list(wrong(out)) == ["data"]
    assert "bring the former data back" in wrong(out)["data"]["message"]
    data.unlink()
    code, out, _ = tuner(capsys, "doctor", "--storage", "a.log", "--format", "json")
    assert (code, wrong(out)["data"]["state"]) == (0, "warning")


def test_a_storage_out_of_reach_is_exit_code_4(folder, capsys):
    code, out, err = tuner(capsys, "doctor", "--storage", "b.log", "--format", "json")
    assert (code, err) == (4, "")
    assert "does not exist" in wrong(out)["storage"]["message"]
    code, out, err = tuner(capsys, "doctor", "--storage", "b.log", "--repair")
    assert (code, out) == (4, "")
    assert err.startswith("error: there is no storage at journal:b.log")
    assert list(folder.iterdir()) == []


def test_without_a_storage_there_is_nothing_to_complain_of(folder, capsys):
    for more in ((), ("--repair",)):
        code, out, _ = tuner(capsys, "doctor", *more)
        assert code == 0
        assert "there is no storage yet: sqlite:///studies/tuner.db" in out
    assert list(folder.iterdir()) == []


def test_an_unknown_study_is_exit_code_2(journal, capsys):
    for more in ((), ("--repair",)):
        code, out, err = tuner(capsys, "doctor", "--storage", "a.log", "--name", "one1", *more)
        assert (code, out) == (2, "")
        assert "unknown study 'one1'; did you mean one? Available: one" in err


def test_repair_says_what_it_did_and_the_second_time_nothing(journal, capsys):
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[:20])
    args = ("doctor", "--storage", "a.log")
    code, out, _ = tuner(capsys, *args)
    assert code == 0
    assert "warning   journal" in out
    assert "10 checks: 0 errors, 1 warning" in out
    assert journal.read_bytes() == whole + whole[:20]
    code, out, _ = tuner(capsys, *args, "--repair", "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert (rows[0]["check"], rows[0]["state"]) == ("journal", "repaired")
    assert "cut 20 bytes behind the journal's last whole record" in rows[0]["message"]
    assert {row["state"] for row in rows[1:]} == {"ok"}
    assert "a write step takes" in rows[1]["message"]
    assert journal.read_bytes() == whole
    code, out, _ = tuner(capsys, *args, "--repair")
    assert code == 0
    assert out.splitlines()[-1].endswith("; there was nothing to repair")


@pytest.mark.slow
def test_the_doctor_needs_no_tensorflow(journal):
    code = (
        "import sys; from tuner.cli.main import main\n"
        "try:\n    main(['doctor', '--storage', 'a.log'])\n"
        "finally:\n    print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "set()"), ended.stderr
