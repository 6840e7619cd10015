"""Dicts as spaces: what stands in them is what stands in a space file."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tuner
from tuner.api.spaces import settings_from, space_from
from tuner.errors import SpaceError, UsageError
from tuner.spaces import load_space


def test_a_dict_is_the_space_of_a_file(tmp_path):
    (tmp_path / "space.yaml").write_text(
        """\
version: 1
params:
  optimizer: {choices: [sgd, adam], default: adam}
  optimizer.learning_rate: {low: 0.0001, high: 0.1, log: true, default: 0.01}
  optimizer.momentum: {low: 0.0, high: 0.9, when: {optimizer: sgd}}
  model.units: {choices: ["32", "64-32"]}
  model.dropout: {low: 0.0, high: 0.5}
  batch_size: {values: [32, 64], default: 64}
  epochs: 30
"""
    )
    made = space_from(
        {
            "optimizer": tuner.choices("sgd", "adam", default="adam"),
            "optimizer.learning_rate": tuner.log(1e-4, np.float64(0.1), default=0.01),
            "optimizer.momentum": tuner.when((0.0, 0.9), optimizer="sgd"),
            "model.units": ["32", "64-32"],
            "model.dropout": (0.0, 0.5),
            "batch_size": tuner.values(np.array([32, 64]), default=np.int64(64)),
            "epochs": np.int64(30),
        }
    )
    assert made == load_space(tmp_path / "space.yaml")


def test_conditions_on_dotted_names_and_on_fixed_values():
    made = space_from(
        {
            "schedule": tuner.choices(["constant", "step"]),
            "schedule.drop": tuner.when(0.5, {"schedule": ["step"]}),
        }
    )
    assert made.params["schedule.drop"].to_data() == {"value": 0.5, "when": {"schedule": "step"}}


def test_names_files_spaces_and_none_are_what_they_are(tmp_path):
    space = load_space("sgd_decay")
    assert space_from("sgd_decay") == space_from(space) == space
    assert space_from(None) is None


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (3, UsageError, "a space is a name, a file, a dict.*received 3"),
        ({"optimiser": "adam"}, SpaceError, "optimiser: unknown parameter.*did you mean optimizer"),
        ({"epochs": (1, 2, 3)}, SpaceError, "epochs"),
        ({"epochs": object()}, SpaceError, "epochs"),
        ({}, SpaceError, "at least one parameter"),
    ],
)
def test_what_is_no_space_is_refused_in_a_sentence(given, error, message):
    with pytest.raises(error, match=message):
        space_from(given)


def test_conditions_that_are_none_are_refused():
    with pytest.raises(SpaceError, match=r"when takes parameters with the values.*received 'sgd'"):
        tuner.when((0.0, 0.9), "sgd")


def test_settings_are_those_of_the_flag():
    made = settings_from({"epochs": np.int64(3), "optimizer.learning_rate": tuner.log(1e-3, 1.0)})
    assert made["epochs"] == "3"
    assert json.loads(made["optimizer.learning_rate"]) == {"low": 1e-3, "high": 1.0, "log": True}
    assert load_space("sgd_decay").override(made).fixed()["epochs"] == 3
    with pytest.raises(SpaceError, match="set: epochs: must be a value, a range"):
        settings_from({"epochs": object()})
