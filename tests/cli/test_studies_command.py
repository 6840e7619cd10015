"""`tuner studies`: list, show, delete."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from optuna import load_study

from tests.support.fake_trainer import FakeTrainer
from tuner.cli.main import main
from tuner.search.checkpoints.checkpoints import study_key
from tuner.search.loop import run_worker
from tuner.search.prepare import prepare_study
from tuner.spaces import Space
from tuner.study.data import DataFacts
from tuner.study.definition import StudyDefinition

SPACE = {"name": "rates", "params": {"optimizer.learning_rate": {"low": 1e-4, "high": 1.0}}}


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNER_STORAGE", raising=False)
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)
    return "sqlite:///studies/tuner.db"


def make(url, name, work=True):
    definition = StudyDefinition(space=Space.from_dict(SPACE), trials=3)
    facts = DataFacts("fake", "multiclass")
    prepare_study(definition, name=name, storage_url=url, trials=None, describe=lambda _: facts)
    if work:
        run_worker(
            url,
            name,
            stop=lambda: False,
            on_event=lambda event: None,
            make_trainer=lambda _: FakeTrainer(),
        )


def tuner(capsys, *args):
    with pytest.raises(SystemExit) as exit_:
        main(list(args))
    out, err = capsys.readouterr()
    return exit_.value.code, out, err


def test_list_shows_every_study_with_its_trials(url, capsys):
    make(url, "one")
    make(url, "two", work=False)
    code, out, _ = tuner(capsys, "studies", "list", "--format", "json")
    first, second = json.loads(out)
    assert code == 0
    assert (first["study"], first["space"], first["data"]) == ("one", "rates", "sklearn:digits")
    assert (first["total"], first["complete"], first["waiting"]) == (3, 3, 0)
    assert (second["total"], second["waiting"], second["best_value"]) == (3, 3, None)
    assert 0 < first["best_value"] <= 1
    code, out, _ = tuner(capsys, "studies", "list")
    lines = out.splitlines()
    assert lines[0].split() == ["study", "space", "data", "sampler", "trials", "failed", "best"]
    assert lines[1].split()[:5] == ["one", "rates", "sklearn:digits", "tpe", "3/3"]
    assert "accuracy" in lines[1]
    code, out, _ = tuner(capsys, "studies", "list", "--format", "csv")
    assert out.splitlines()[0].startswith("study,space,data,sampler,metric,total,complete")


def test_no_storage_yet_is_an_empty_list_and_makes_none(url, capsys, tmp_path):
    code, out, err = tuner(capsys, "studies", "list", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "does not exist" in err
    assert list(tmp_path.iterdir()) == []


def test_a_storage_that_was_named_has_to_exist(url, capsys):
    code, out, err = tuner(capsys, "studies", "list", "--storage", "other.db")
    assert (code, out) == (4, "")
    assert "there is no storage at sqlite:///other.db" in err


def test_a_study_of_something_else_is_listed_as_such(url, capsys):
    import optuna

    make(url, "one", work=False)
    optuna.create_study(storage=url, study_name="stock").optimize(lambda trial: 1.0, n_trials=2)
    _, out, _ = tuner(capsys, "studies", "list")
    assert "(not tuner's)" in out.splitlines()[2]
    _, out, _ = tuner(capsys, "studies", "show", "stock", "--format", "json")
    shown = json.loads(out)
    assert (shown["definition"], shown["trials"]["complete"], shown["best_value"]) == (None, 2, 1.0)


def test_show_holds_the_whole_definition(url, capsys):
    make(url, "one")
    code, out, _ = tuner(capsys, "studies", "show", "one", "--format", "json")
    shown = json.loads(out)
    assert code == 0
    assert (shown["study"], shown["storage"]) == ("one", url)
    assert shown["trials"]["complete"] == 3
    assert shown["definition"]["space"]["params"] == SPACE["params"]
    assert shown["definition"]["objective"]["metric"] == "accuracy"
    assert StudyDefinition.model_validate(shown["definition"]).trials == 3
    _, out, _ = tuner(capsys, "studies", "show", "one")
    assert "optimizer.learning_rate" in out


def test_an_unknown_study_is_named_with_those_there_are(url, capsys):
    make(url, "one", work=False)
    for command in (("show", "ane"), ("delete", "ane", "--yes")):
        code, out, err = tuner(capsys, "studies", *command)
        assert (code, out) == (2, "")
        assert "unknown study 'ane'; did you mean one? Available: one" in err


def names(path="studies/tuner.db"):
    with sqlite3.connect(path) as connection:
        return [name for (name,) in connection.execute("SELECT study_name FROM studies")]


def test_delete_takes_a_study_with_its_trials(url, capsys):
    make(url, "one")
    make(url, "two", work=False)
    code, out, _ = tuner(capsys, "studies", "delete", "one", "--yes", "--format", "json")
    assert (code, json.loads(out)) == (0, {"study": "one", "storage": url, "deleted_trials": 3})
    assert names() == ["two"]
    with sqlite3.connect("studies/tuner.db") as connection:
        tables = ("trials", "trial_params", "trial_user_attributes", "trial_intermediate_values")
        counts = [connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables]
    assert counts == [3, 0, 6, 0]  # the tickets of the other study


def test_a_study_of_which_trials_run_is_not_deleted_unasked(url, capsys):
    make(url, "one", work=False)
    load_study(study_name="one", storage=url).ask()
    code, out, err = tuner(capsys, "studies", "delete", "one", "--yes")
    assert (code, out, names()) == (2, "", ["one"])
    assert "'one' has 1 running. Available: end those who work on it, or --yes --running" in err
    assert tuner(capsys, "studies", "delete", "one", "--yes", "--running")[0] == 0
    assert names() == []


def test_delete_takes_the_studys_checkpoints(url, capsys, monkeypatch):
    monkeypatch.delenv("TUNER_ARTIFACTS", raising=False)
    for name in ("one", "two"):
        make(url, name, work=False)
    studies = load_study(study_name="one", storage=url), load_study(study_name="two", storage=url)
    ours, other = (f"checkpoint-{study_key(study)}-0x1.npz" for study in studies)
    for folder in ("studies/artifacts", "elsewhere"):
        Path(folder).mkdir()
        for name in (ours, other, "something"):
            Path(folder, name).touch()
    assert tuner(capsys, "studies", "delete", "one", "--yes")[0] == 0
    assert sorted(path.name for path in Path("studies/artifacts").iterdir()) == [other, "something"]
    code, *_ = tuner(capsys, "studies", "delete", "two", "--yes", "--artifacts", "elsewhere")
    assert (code, sorted(path.name for path in Path("elsewhere").iterdir())) == (
        0,
        [ours, "something"],
    )


def test_delete_without_yes_needs_somebody_to_ask(url, capsys, monkeypatch):
    make(url, "one", work=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal
    code, out, err = tuner(capsys, "studies", "delete", "one")
    assert (code, out) == (2, "")
    assert "--yes" in err
    assert names() == ["one"]


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, ["one"]), ("y\n", 0, [])])
def test_delete_asks_on_a_terminal(url, capsys, monkeypatch, answer, code, left):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    make(url, "one", work=False)
    load_study(study_name="one", storage=url).ask()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    got, _, err = tuner(capsys, "studies", "delete", "one")
    assert got == code
    trials = "0 finished trials and 1 running ones"
    assert f"Delete one from sqlite:///studies/tuner.db with its {trials}?" in err
    assert names() == left


def test_the_command_group_imports_nothing_heavy():
    code = (
        "import sys, tuner.cli.studies; "
        "print(*{'tensorflow', 'optuna', 'sklearn', 'pandas', 'pydantic'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == "", ended.stderr
