"""YAML 1.2 as it is read, and errors that name file, line, field, rule and value."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tuner.errors import DefinitionError, UsageError
from tuner.spaces.yaml_file import load_yaml, raise_problems, validate_data


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),  # PyYAML: the text '1e-4'
        ("1E5", 1e5),
        ("-.5", -0.5),
        ("on", "on"),  # PyYAML: true
        ("yes", "yes"),
        ("No", "No"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("0o10", 8),
        ("010", 10),  # PyYAML: 8
        ("1:30", "1:30"),  # PyYAML: 90
        ("64-32", "64-32"),
        ("1024-12-10", "1024-12-10"),  # PyYAML: a date
        ("1024-64-32", "1024-64-32"),  # ruamel alone: a date that does not exist
        ("'0.1'", "0.1"),
        ("!!str 64", "64"),
        ("[1, 2.0, x]", [1, 2.0, "x"]),
        ("&a {b: *c}".replace("*c", "1"), {"b": 1}),
    ],
)
def test_values_are_yaml_1_2(tmp_path, text, value):
    data, _ = load_yaml(write(tmp_path, f"key: {text}\n"))
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


def test_lines_are_those_of_the_fields(tmp_path):
    _, lines = load_yaml(write(tmp_path, "a: 1\n\nb:\n  c: [1,\n    2]\n  d: {e: 3}\n"))
    assert [lines.of(loc) for loc in ((), ("a",), ("b",), ("b", "c"))] == [1, 1, 3, 4]
    assert lines.of(("b", "c", 1)) == 5
    assert lines.of(("b", "d", "e")) == 6
    assert lines.of(("b", "d", "missing", "deeper")) == 6


def test_an_alias_is_the_value_it_names(tmp_path):
    data, _ = load_yaml(write(tmp_path, "a: &x {low: 1}\nb: *x\n"))
    assert data == {"a": {"low": 1}, "b": {"low": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "file.yaml:3: a: given twice; first in line 1"),
        ("a:\n  b: 1\n  b: 2\n", "file.yaml:3: a.b: given twice; first in line 2"),
        ("a: 1\n1: 2\n", "file.yaml:2: a key must be text; got '1'"),
        ("a: 1\nb: !!python/object:os.system x\n", "file.yaml:2: b: tags are not allowed; got"),
        ("a: !!int x\n", "file.yaml:1: a: the tag tag:yaml.org,2002:int does not fit 'x'"),
        ("a: &x [*x]\n", "file.yaml:1: a[0]: an alias must not stand inside what it refers to"),
        ("a: 1\nb: [1\nc: 2\n", "file.yaml:3: not valid YAML: while parsing a flow sequence"),
        ("a: *x\n", "file.yaml:1: not valid YAML: found undefined alias 'x'"),
        ("a: 1\n---\nb: 2\n", "file.yaml:2: not valid YAML: expected a single document"),
        ("%YAML 1.1\n---\na: on\n", "file.yaml:1: must be YAML 1.2; got the directive %YAML 1.1"),
        ("", "file.yaml: must be fields with values; got nothing"),
        ("- a\n- b\n", "file.yaml:1: must be fields with values; got a list"),
        ("3\n", "file.yaml:1: must be fields with values; got 3"),
        ("sgd_decay\n", "file.yaml:1: must be fields with values; got 'sgd_decay' (text)"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(UsageError) as caught:
        load_yaml(write(tmp_path, text))
    assert message in str(caught.value)


def test_all_duplicates_are_named_at_once(tmp_path):
    with pytest.raises(UsageError) as caught:
        load_yaml(write(tmp_path, "a: 1\na: 2\nb: 1\nb: 2\n"))
    assert len(str(caught.value).splitlines()) == 2


def test_files_that_cannot_be_read_say_why(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: it does not exist"):
        load_yaml(tmp_path / "missing.yaml")
    with pytest.raises(UsageError, match="cannot be read: it is a folder"):
        load_yaml(tmp_path)
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: \xe4\n")
    with pytest.raises(UsageError, match="must be text in UTF-8"):
        load_yaml(path)


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["kfold", "holdout"] = "kfold"
    k: int = Field(default=5, ge=2)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    folds: Inner | None = None
    metrics: list[str] = []
    shuffle: bool = False
    share: float = 0.0


def test_a_model_is_made_from_a_file(tmp_path):
    path = write(tmp_path, "name: x\nfolds: {k: 3}\n")
    made, problems = validate_data(load_yaml(path)[0], Outer, str(path))
    assert problems == []
    assert made == Outer(name="x", folds=Inner(k=3))


def test_every_error_of_a_model_has_its_line_and_value_in_the_order_of_the_file(tmp_path):
    text = (
        "folds:\n  kind: kfolds\n  k: 1\n  ks: 3\nmetrics: accuracy\nshuffle: maybe\nshare: much\n"
    )
    path = write(tmp_path, text)
    data, lines = load_yaml(path, DefinitionError)
    made, problems = validate_data(data, Outer, str(path), lines)
    assert made is None
    with pytest.raises(DefinitionError) as caught:
        raise_problems(problems, DefinitionError)
    assert str(caught.value).splitlines() == [
        f"{path}:1: name: is required",
        f"{path}:2: folds.kind: unknown value 'kfolds'; did you mean kfold? "
        "Available: kfold, holdout",
        f"{path}:3: folds.k: must be greater than or equal to 2; got 1",
        f"{path}:4: folds.ks: unknown field 'ks'; did you mean k? Available: kind, k",
        f"{path}:5: metrics: must be a list; got 'accuracy' (text)",
        f"{path}:6: shuffle: must be true or false; got 'maybe' (text)",
        f"{path}:7: share: must be a number; got 'much' (text)",
    ]
