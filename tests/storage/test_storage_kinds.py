"""A kind of storage is one class: a new one is searched and examined like the others."""

from __future__ import annotations

from typing import ClassVar, Self

import pytest
from optuna.storages import BaseStorage, InMemoryStorage

from tests.support.doctor_tools import look, said, wrong
from tests.support.studies import definition, load, prepare, work
from tuner.errors import StorageError, UsageError
from tuner.storage import StorageKind, storage_at, urls
from tuner.storage.backend import Backend
from tuner.storage.kind import split_scheme


class Shelf(StorageKind):
    """Optuna's storage in memory, by name: of one process."""

    FORMS = ("shelf:NAME",)
    REMOTE = False
    kept: ClassVar[dict[str, InMemoryStorage]] = {}

    @classmethod
    def read(cls, text: str) -> Self | None:
        return cls(text) if split_scheme(text)[0] == "shelf" else None

    def __str__(self) -> str:
        return self.url

    def _open(self) -> BaseStorage:
        if self.url == "shelf:shut":
            raise OSError("it is shut")
        return self.kept.setdefault(self.url, InMemoryStorage())

    def steps(self, storage: BaseStorage) -> Backend:
        return Backend(storage)

    def product(self) -> str:
        return "a shelf"


@pytest.fixture(autouse=True)
def _another_kind(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(urls, "KINDS", (*urls.KINDS, Shelf))


def test_a_study_is_made_and_worked_on():
    prepare("shelf:a", definition(trials=2, pruner="none"))
    assert work("shelf:a")[0] == "done"
    assert [trial.state.name for trial in load("shelf:a").trials] == ["COMPLETE"] * 2


def test_doctor_looks_at_it():
    prepare("shelf:b", definition(trials=2))
    report = look("shelf:b")
    assert wrong(report) == {}
    assert said(report, "storage").text.startswith("a shelf at shelf:b, opened in")


def test_its_form_and_its_errors_are_told():
    with pytest.raises(UsageError, match="shelf:NAME"):
        storage_at("nothing")
    with pytest.raises(StorageError, match=r"shelf:shut cannot be reached .*OSError: it is shut"):
        storage_at("shelf:shut").open()
