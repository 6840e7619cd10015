"""The file of a study's own code: who may load it, and when."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from tuner.code import CodeSpec, load, save, trusted_file
from tuner.code.file import place
from tuner.errors import UsageError

FACTOR = 3


def times(x: int) -> int:
    return FACTOR * x


def test_saved_and_loaded(tmp_path):
    spec = save(tmp_path, {"metric minimize:times": times})
    assert spec.parts["metric minimize:times"].what == "function times"
    assert [file.name for file in (tmp_path / "code").iterdir()] == [f"{spec.file}.pickle"]
    held = load(spec, tmp_path, spec.file, "study")["metric minimize:times"]
    assert held(2) == 6
    assert held is not times  # by its code: a worker need not import this module
    assert CodeSpec.model_validate_json(spec.model_dump_json()) == spec


def test_it_is_written_once_and_anew_if_it_was_changed(tmp_path):
    spec = save(tmp_path, {"sampler": times})
    file = place(tmp_path, spec.file)
    written = file.stat().st_ino
    assert save(tmp_path, {"sampler": times}) == spec
    assert file.stat().st_ino == written
    file.write_bytes(b"else")
    save(tmp_path, {"sampler": times})
    assert load(spec, tmp_path, spec.file, "study")


class Trap:
    def __reduce__(self) -> Any:
        return pytest.fail, ("unpickled",)


def trap(folder: Path) -> CodeSpec:
    spec = save(folder, {"sampler": times})
    place(folder, spec.file).write_bytes(pickle.dumps(Trap()))
    return spec


def test_untrusted_changed_and_missing_code_is_not_unpickled(tmp_path):
    spec = trap(tmp_path)
    with pytest.raises(UsageError, match=r"'mine' has sampler \(function times\) in .*--trust"):
        trusted_file(spec, tmp_path, "mine", trust=False)
    with pytest.raises(UsageError, match="only if it is trusted"):
        load(spec, tmp_path, None, "mine")
    with pytest.raises(UsageError, match="only if it is trusted"):
        load(spec, tmp_path, "0" * 32, "mine")
    for wanted in (lambda: trusted_file(spec, tmp_path, "mine", trust=True),
                   lambda: load(spec, tmp_path, spec.file, "mine")):  # fmt: skip
        with pytest.raises(UsageError, match="was changed since: its hash is"):
            wanted()
    place(tmp_path, spec.file).unlink()
    with pytest.raises(UsageError, match="of study 'mine', does not exist"):
        trusted_file(spec, tmp_path, "mine", trust=True)


def test_code_of_another_python_is_refused(tmp_path):
    spec = trap(tmp_path).model_copy(update={"python": "3.1"})
    with pytest.raises(UsageError, match=r"of Python 3\.1, this is .* Available: Python 3\.1"):
        load(spec, tmp_path, spec.file, "mine")


def test_what_its_code_imports_may_be_missing(tmp_path, monkeypatch):
    def needs() -> Any:
        raise ModuleNotFoundError("No module named 'elsewhere'")

    spec = save(tmp_path, {"sampler": times})
    monkeypatch.setattr(pickle, "loads", lambda content: needs())
    with pytest.raises(UsageError, match="cannot be loaded here \\(ModuleNotFoundError: No module"):
        load(spec, tmp_path, spec.file, "mine")


def test_no_code_needs_no_trust(tmp_path):
    assert trusted_file(None, tmp_path, "mine", trust=False) is None


def test_what_cannot_be_pickled_is_named(tmp_path):
    with (
        (tmp_path / "held").open("w") as file,
        pytest.raises(UsageError, match=r"sampler \(TextIOWrapper\) cannot be pickled"),
    ):
        save(tmp_path, {"sampler": file})
    assert not (tmp_path / "code").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "code").write_text("a file")
    with pytest.raises(UsageError, match="in a folder that can be written"):
        save(tmp_path, {"sampler": times})
