"""A study whose definition cannot be read stops nobody from the others, and can be deleted."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
from typing import Any

import optuna
import pytest

from tests.support.storages import copied
from tests.support.studies import definition, prepare, work
from tuner.cli.main import main
from tuner.storage import open_storage, records

DEFINITION, VERSION = records.STUDY_DEFINITION, records.STUDY_VERSION
#: What is set in the study's attributes, and a part of the reason that is told.
UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "torn JSON": ({DEFINITION: '{"space": '}, "no JSON text"),
    "a list": ({DEFINITION: "[]"}, "must be fields with values"),
    "a number": ({DEFINITION: 7}, "no JSON text"),
    "nested too deeply": ({DEFINITION: "[" * 100_000}, "no JSON text"),
    "missing keys": ({DEFINITION: "{}"}, "space"),
    "wrong types": ({DEFINITION: '{"space": 1, "folds": [], "objective": 3}'}, "space"),
    "a sampler without a name": (
        {DEFINITION: json.dumps({**json.loads(definition().to_json()), "sampler": {"x": 1}})},
        "sampler",
    ),
    "a newer layout": ({VERSION: records.VERSION + 1}, "made by a newer tuner"),
    "a layout that is no number": ({VERSION: "one"}, "of a layout"),
    "no total": ({"total": "many"}, "many"),
}


@pytest.fixture(params=UNREADABLE)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def three_studies(empty_database, tmp_path_factory):
    """A file with the studies `good` (run), `bad name`, still sound, and `theirs`."""
    path = shutil.copy(empty_database, tmp_path_factory.mktemp("three") / "a.db")
    url = f"sqlite:///{path}"
    prepare(url, definition(trials=2), name="good")
    work(url, "good")
    prepare(url, definition(trials=2), name="bad name")
    optuna.create_study(storage=url, study_name="theirs", directions=["minimize", "maximize"])
    return path


@pytest.fixture
def spoilt(three_studies, tmp_path, kind):
    """A storage with them, `bad name` as no study is; and the reason."""
    changes, reason = UNREADABLE[kind]
    sqlite = copied(three_studies, tmp_path)
    storage = open_storage(sqlite)
    study_id = storage.get_study_id_from_name("bad name")
    for key, value in changes.items():
        if key == "total":
            storage.set_study_system_attr(study_id, records.STUDY_TOTAL, value)
        else:
            storage.set_study_user_attr(study_id, key, value)
    return sqlite, reason


def tuner(capsys, *args):
    with pytest.raises(SystemExit) as end:
        main(list(args))
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_list_shows_the_others_and_marks_it_with_its_reason(spoilt, capsys):
    url, reason = spoilt
    code, out, _ = tuner(capsys, "studies", "list", "--storage", url, "--format", "json")
    good, bad, theirs = json.loads(out)
    assert code == 0
    assert (good["study"], good["complete"], good["unreadable"]) == ("good", 2, None)
    assert (bad["study"], bad["total"], bad["space"]) == ("bad name", 2, None)
    assert reason in bad["unreadable"]
    assert (theirs["study"], theirs["unreadable"]) == ("theirs", None)
    _, out, _ = tuner(capsys, "studies", "list", "--storage", url)
    assert "(unreadable)" in out
    assert "(not tuner's)" in out
    assert f"bad name: {bad['unreadable']}" in out


def test_show_and_results_answer_for_another_one(spoilt, capsys):
    url, reason = spoilt
    code, out, _ = tuner(capsys, "studies", "show", "good", "--storage", url, "--format", "json")
    assert (code, json.loads(out)["trials"]["complete"]) == (0, 2)
    assert tuner(capsys, "best", "good", "--storage", url)[0] == 0
    code, out, _ = tuner(
        capsys, "studies", "show", "bad name", "--storage", url, "--format", "json"
    )
    shown = json.loads(out)
    assert code == 0
    assert (shown["definition"] is None) == (reason != "many")  # that one is sound
    assert reason in shown["unreadable"]


def test_its_own_results_are_shown_or_refused_with_the_reason(spoilt, capsys):
    url, reason = spoilt
    for command in ("results", "best"):
        code, _, err = tuner(capsys, command, "bad name", "--storage", url)
        # None is complete. Scores can be read without most of the definition, not without a metric.
        assert code == 3 or (code == 4 and (reason in err or "(objective.metric: " in err))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_doctors_advice_can_be_pasted(spoilt, capsys, monkeypatch):
    url, _ = spoilt
    _, out, _ = tuner(capsys, "doctor", "--storage", url, "--format", "json")
    texts = [row["message"] for row in json.loads(out) if row["study"] == "bad name"]
    [advice] = re.findall(r"to delete it: (tuner studies delete .*)", "\n".join(texts))
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    code, _, err = tuner(capsys, *shlex.split(advice)[1:])
    assert code == 0, err
    names = [study.study_name for study in open_storage(url).get_all_studies()]
    assert names == ["good", "theirs"]
