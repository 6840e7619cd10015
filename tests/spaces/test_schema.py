"""The JSON Schema, as an editor's validator sees it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tuner.spaces import list_spaces, load_space, space_schema
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.yaml_file import load_yaml


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = space_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_parameter_is_in_it_with_its_help():
    properties = space_schema()["properties"]["params"]["properties"]
    assert list(properties) == list(CATALOGUE)
    for name, info in CATALOGUE.items():
        assert properties[name]["description"].startswith(info.help)
        assert properties[name].get("default") == info.default


def test_every_shipped_file_is_valid(validator):
    for entry in list_spaces():
        data, _ = load_yaml(entry.path)
        validator.validate(data)
        written = load_space(entry.name).to_dict()
        del written["name"]
        validator.validate(written)


RIGHT = [
    ("epochs", 3),
    ("epochs", {"low": 1, "high": 3, "type": "int", "when": {"optimizer": ["sgd"]}}),
    ("model.units", "64-32"),
    ("model.units", {"choices": ["64", "64-32"]}),
    ("optimizer.clipnorm", {"choices": [None, 1.0]}),
    ("schedule.boundaries", [10, 15]),
    ("epochs", {"distribution": "randint", "low": 1, "high": 3}),
    ("model.l2", {"distribution": "loguniform", "a": 1e-3, "b": 1}),
    ("initializer", {"values": ["zero", "zeros"], "default": "zero"}),
    ("model.l2", {"distribution": "loguniform", "a": 1e-3, "b": 1, "default": 0.1}),
    ("epochs", {"low": 1, "high": 3, "default": 2}),
]
WRONG = [
    ("epocs", 3),
    ("epochs", 0),
    ("epochs", "3"),
    ("epochs", {"low": 1}),
    ("epochs", {"low": 1, "high": 3, "stepp": 1}),
    ("epochs", {"low": 1, "high": 3, "type": "float"}),
    ("epochs", {"choices": []}),
    ("epochs", {"low": 1, "high": 3, "default": "2"}),
    ("epochs", {"value": 3, "default": 3}),
    ("epochs", {"choices": [3, 3]}),
    ("epochs", {"low": 1, "high": 3, "when": {"optimzer": "sgd"}}),
    ("epochs", {"distribution": "uniform"}),
    ("model.dropout", 1.0),
    ("model.batch_norm", "yes"),
    ("optimizer", "sdg"),
    ("optimizer", {"low": 1, "high": 3}),
    ("optimizer.learning_rate", {"low": 0, "high": 1}),
    ("model.units", "64x32"),
    ("model.l2", {"distribution": "loguniform", "a": 1e-3}),
    ("schedule.boundaries", {"choices": [1, 2]}),
]


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_what_it_accepts(validator, name, value):
    assert validator.is_valid({"params": {name: value}})


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_it_refuses(validator, name, value):
    assert not validator.is_valid({"params": {name: value}})


def test_an_open_space_has_names_of_ones_own(validator):
    own = {
        "svc__C": {"low": 0.5, "high": 2},
        "k": {"choices": [None, 1, "a"], "when": {"svc__C": 1}},
    }
    assert validator.is_valid({"open": True, "params": own})
    assert not validator.is_valid({"open": False, "params": own})
    assert not validator.is_valid({"open": True, "params": {**own, "epochs": 0}})


def test_fields_of_the_file(validator):
    assert validator.is_valid({"version": 1, "description": "x", "params": {"epochs": 3}})
    wrong: dict[str, Any]
    for wrong in ({}, {"params": {}}, {"version": 2, "params": {"epochs": 3}}, {"param": 3}):
        assert not validator.is_valid(wrong)
