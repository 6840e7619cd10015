"""CONTRIBUTING.md, CITATION.cff and the entry points: they say what is there."""

from __future__ import annotations

import re

import pytest
from ruamel.yaml import YAML

import tuner
from tests.support import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "tuner"


def test_the_map_names_every_folder() -> None:
    (folders,) = re.findall(r"```\n(text.*?)```", TEXT, flags=re.DOTALL)
    named = set(re.findall(r"\w+", " ".join(line[:29] for line in folders.splitlines())))
    here = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert named == here | files


def test_every_group_of_entry_points_is_named() -> None:
    sources = " ".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    groups = set(re.findall(r"Registry\(\s*\"[\w -]+\",\s*\"(tuner\.\w+)\"", sources))
    assert len(groups) >= 5
    assert [group for group in groups if f"`{group}`" not in TEXT] == []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tuner|tests)/[\w./]+)`", TEXT))))
def test_files_that_it_names_exist(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_citation_is_of_this_version() -> None:
    citation = YAML(typ="safe", pure=True).load(ROOT / "CITATION.cff")
    assert citation["version"] == tuner.__version__
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)
