"""The wheel, installed elsewhere: it carries the spaces, the studies, the types and the licence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.slow


def run(*command: str, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", ".", str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path) -> Path:
    """A folder in which the wheel alone is installed; what it needs is in this environment."""
    site = wheel.parent / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site)]
    run(*pip, str(wheel), cwd=wheel.parent)
    return site


def test_the_wheel_holds_what_a_clone_has(wheel: Path) -> None:
    with ZipFile(wheel) as file:
        names = set(file.namelist())
    assert "tuner/py.typed" in names
    for folder in ("search_spaces", "studies"):
        shipped = {
            f"tuner/_shipped/{folder}/{path.name}" for path in (ROOT / folder).glob("*.yaml")
        }
        assert shipped
        assert shipped <= names
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "tuner").rglob("*.py")}
    assert sources <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith(("tests/", "bench/", "examples/")) for name in names)


def test_a_search_runs_elsewhere(site: Path, tmp_path: Path) -> None:
    """In another folder, from the installed package: spaces, a study's definition, a search."""

    def tuner(*args: str) -> str:
        return run(str(site / "bin" / "tuner"), *args, cwd=tmp_path, PYTHONPATH=str(site))

    where = run(
        sys.executable,
        "-c",
        "import tuner; print(tuner.__file__)",
        cwd=tmp_path,
        PYTHONPATH=str(site),
    )
    assert Path(where.strip()).is_relative_to(site)
    assert tuner("--version").startswith("tuner, version ")
    spaces = json.loads(tuner("spaces", "list", "--format", "json"))
    assert {path.stem for path in (ROOT / "search_spaces").glob("*.yaml")} <= {
        space["name"] for space in spaces
    }
    assert "momentum" in tuner("spaces", "show", "sgd_decay")
    tuner(
        "optimize", "--study", "initializers", "--data", "sklearn:iris", "--folds", "2",
        "--set", "epochs=2", "--trials", "2", "--workers", "1", "--name", "first",
    )  # fmt: skip
    (study,) = json.loads(tuner("studies", "list", "--format", "json"))
    assert (study["study"], study["complete"]) == ("first", 2)
    assert (tmp_path / "studies" / "tuner.db").is_file()
