"""What others wrote into a storage cannot steer the terminal of who reads it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import optuna
import pytest

from tests.support.storages import copied
from tuner.cli.main import main

EVIL = "a\x1b[31m\x9bb\u202ec\r\nd\x07"


@pytest.fixture(scope="module")
def evil(empty_database, tmp_path_factory) -> Path:
    """A storage's file with a study in which everything is `EVIL`."""
    path = Path(shutil.copy(empty_database, tmp_path_factory.mktemp("evil") / "a.db"))
    study = optuna.create_study(study_name=EVIL, storage=f"sqlite:///{path}")
    study.set_user_attr("cause", EVIL)
    trial = study.ask()
    trial.suggest_categorical(f"p{EVIL}", [f"v{EVIL}"])
    trial.set_user_attr("cause", EVIL)
    study.tell(trial, 1.0)
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    return path


@pytest.fixture
def url(tmp_path, monkeypatch, evil) -> str:
    monkeypatch.chdir(tmp_path)
    return copied(evil, tmp_path)


def call(capsys, *args: str) -> str:
    with pytest.raises(SystemExit):
        main(list(args))
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert text.replace("\n", "").isprintable(), ascii(text)
    return text


@pytest.mark.parametrize("form", ["table", "json", "yaml", "csv"])
@pytest.mark.parametrize(
    "command",
    [
        ["studies", "list"],
        ["studies", "show", EVIL],
        ["results", EVIL],
        ["best", EVIL],
        ["doctor"],
        ["resume", EVIL],
        ["worker", "--name", EVIL],
        ["export", EVIL, "--out", "new"],
        ["studies", "delete", EVIL],
        ["results", f"x{EVIL}"],
        ["studies", "show", "\udcff"],
        ["best", "\udcff"],
        ["doctor", "--name", f"x{EVIL}"],
        ["optimize", "--space", f"x{EVIL}"],
        ["optimize", "--study", EVIL],
        ["data", "show", f"csv:{EVIL}"],
        ["spaces", "show", "\udcff"],
        ["predict", EVIL, "--data", "sklearn:iris"],
        [EVIL],
    ],
    ids=ascii,
)
def test_everything_printed_is_printable(command, form, url, capsys):
    storage = ["--storage", url] if command[0] not in ("data", "spaces", "predict", EVIL) else []
    call(capsys, "--format", form, *command, *storage)


def test_a_name_reads_back_from_json(url, capsys):
    [row] = json.loads(call(capsys, "studies", "list", "--format", "json", "--storage", url))
    assert row["study"] == EVIL


def test_columns_stay_in_their_line(url, capsys):
    assert len(call(capsys, "studies", "list", "--storage", url).splitlines()) == 2
