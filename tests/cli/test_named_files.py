"""The file that was named is the file that is used, whatever its name holds, by every command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support import ROOT
from tests.support.studies import definition, prepare
from tuner.cli.main import main
from tuner.storage import storage_at
from tuner.storage.urls import typed

NAMES = [
    "a%41.db", "what?.db", "a#b.db", "a\nb.db", "-x.db", "{x}.db", "a\udcff.db", "../up%41.db",
]  # fmt: skip
MORE = [
    "a%20b.db", "a;b.db", "a:b.db", "a@b.db", "a b.db", " a.db", "~x.db", "a\\b.db", "größe数.db",
    "a&b=c.db", "'\".db", "$(x).db", "*.db", "a%.db", "a\x1b[31m.db", "deep?/er#/a.db",
]  # fmt: skip
FORMS = {
    "a plain path": "./{}",
    "a SQLite URL": "sqlite:///{}",
    "a journal": "journal:{}",
}


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize(
    "name", [*NAMES, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)], ids=ascii
)
def test_storages(name, form, tmp_path, monkeypatch, capsys):
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    url = FORMS[form].format(name)
    prepare(storage_at(url).url, definition(trials=1))
    place = (here / name).resolve()
    made = files(tmp_path)
    assert place in made
    assert {path.name.removeprefix(place.name) for path in made} <= {"", ".lock", "-wal", "-shm"}
    for command in (["studies", "list"], ["doctor"], ["doctor", "--repair"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--format", "json", f"--storage={url}"])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert ended.value.code in (0, 1), said
        told = json.loads(said.out)
        assert any(row.get("study") == "study" for row in told), told
    assert files(tmp_path) - made <= {place.with_name(f"{place.name}{end}") for end in ENDS}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_what_is_said_to_be_typed_next_means_the_same_file(name, tmp_path, monkeypatch):
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    prepare(storage_at(f"./{name}").url, definition(trials=1))
    line = f"{sys.executable} -m tuner.cli.main studies list --format json{typed(f'./{name}')}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", line], capture_output=True, env=environment, check=True)
    assert json.loads(done.stdout)[0]["study"] == "study"


STEMS = ["a b", "a%41", "what?", "a#b", "a;b", "é", "-x", "~x", "a:b", "a@b"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    return here


def call(capsys, *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize("scheme", ["csv", "npz", "parquet"])
@pytest.mark.parametrize("stem", STEMS)
def test_data(stem, scheme, here, capsys):
    name = f"{stem}.{scheme}"
    table = pd.DataFrame({"a": np.arange(40) + 0.5, "label": np.arange(40) % 2})
    if scheme == "csv":
        table.to_csv(here / name, index=False)
    elif scheme == "parquet":
        table.to_parquet(here / name)
    else:
        np.savez(here / name, x=table[["a"]].to_numpy(), y=table["label"].to_numpy())
    code, out, err = call(capsys, "data", "show", "--format", "json", f"{scheme}:{name}")
    assert code == 0, err
    assert json.loads(out)["rows"] == 40
    assert files(here) == {here / name}


@pytest.mark.parametrize("stem", STEMS)
def test_spaces_and_studies(stem, here, capsys):
    (here / f"{stem}.yaml").write_text("params:\n  epochs: 3\n")
    code, _, err = call(capsys, "spaces", "validate", "--", f"{stem}.yaml")
    assert code == 0, err
    search = ["optimize", "--dry-run", "--format", "json"]
    code, out, err = call(capsys, *search, f"--space={stem}.yaml")
    assert code == 0, err
    (here / f"{stem}.yaml").write_text("space: sgd_decay\ntrials: 7\n")
    code, out, err = call(capsys, *search, f"--study={stem}.yaml")
    assert code == 0, err
    assert json.loads(out)["trials"] == 7
    assert files(here) == {here / f"{stem}.yaml"}


ENDS = ("-wal", "-shm", ".lock")


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}
