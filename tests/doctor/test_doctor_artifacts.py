"""Artifacts that are missing, and checkpoints that nobody comes back for."""

from __future__ import annotations

import os
import time

import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore, upload_artifact

from tests.support.doctor_tools import contents, look, pop, said, wrong
from tests.support.studies import definition, load, of, prepare, work
from tuner.doctor import repair
from tuner.search.checkpoints import writer
from tuner.search.events import EpochDone
from tuner.storage.owner import new_owner


@pytest.fixture(autouse=True)
def every_epoch(monkeypatch):
    """A checkpoint after every epoch."""
    monkeypatch.delenv("TUNER_ARTIFACTS", raising=False)
    monkeypatch.setattr(writer, "EVERY", 0.0)
    monkeypatch.setattr(writer, "SHARE", float("inf"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "artifacts"


def interrupted(journal):
    """A study whose second trial was interrupted in its third epoch."""
    prepare(journal, definition(trials=2, pruner="none"))
    done: list[EpochDone] = []
    work(journal, stop=lambda: len(done) >= 9, on_event=lambda e: done.extend(of(EpochDone, [e])))


def test_a_checkpoint_in_use_is_in_order(journal, folder):
    prepare(journal, definition(trials=2, pruner="none"))
    assert "no artifacts are kept" in said(look(journal), "artifacts").text
    assert not folder.exists()
    interrupted(journal)
    before = contents(folder)
    report = look(journal)
    assert wrong(report) == {}
    assert said(report, "artifacts").text.startswith("1 file (")
    assert repair(journal) == []
    assert contents(folder) == before


def test_checkpoints_that_nobody_comes_back_for_are_found_and_removed(journal, folder):
    interrupted(journal)
    [kept] = folder.iterdir()
    content = kept.read_bytes()
    work(journal)
    assert list(folder.iterdir()) == []
    kept.write_bytes(content)  # of a ticket that is done
    broken = folder / f"{kept.name}.12345678.tmp"  # a worker died while it wrote
    fresh = folder / f"{kept.name}.87654321.tmp"
    old = folder / "checkpoint-0123-1x1.npz"  # of a study that is gone
    others = [folder / "checkpoint-0123-2x1.npz", folder / "anything", fresh]
    for file in (broken, old, *others):
        file.touch()
    for file, age in ((broken, 2 * 3600), (old, 31 * 86400)):
        os.utime(file, (time.time() - age, time.time() - age))
    before = contents(folder)
    found = wrong(look(journal))
    assert list(found) == ["artifacts"]
    assert all(file.name in found["artifacts"] for file in (kept, broken, old))
    assert contents(folder) == before
    [done] = repair(journal)
    assert (done.check, str(folder) in done.text) == ("artifacts", True)
    assert sorted(folder.iterdir()) == sorted(others)
    assert repair(journal) == []
    assert wrong(look(journal)) == {}


def test_an_artifact_that_a_trial_names_and_nobody_has_is_found(journal, folder, tmp_path):
    prepare(journal, definition(trials=1))
    pop(journal, new_owner())
    folder.mkdir()
    (tmp_path / "note.txt").write_text("a")
    store = FileSystemArtifactStore(folder)
    study = load(journal)
    ids = [
        upload_artifact(
            artifact_store=store,
            file_path=str(tmp_path / "note.txt"),
            study_or_trial=of_whom,
            storage=study._storage,
        )
        for of_whom in (study, study.trials[0])
    ]
    assert wrong(look(journal)) == {}
    for artifact in ids:
        (folder / artifact).unlink()
        assert artifact in wrong(look(journal))["artifacts"]
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    for artifact in ids:
        (elsewhere / artifact).touch()
    assert wrong(look(journal, artifacts=str(elsewhere))) == {}
    assert repair(journal) == []


def test_the_folder_of_another_program_is_no_matter(sqlite, folder):
    optuna.create_study(storage=sqlite, study_name="stock")
    folder.mkdir()
    (folder / "anything").touch()
    assert wrong(look(sqlite)) == {}
