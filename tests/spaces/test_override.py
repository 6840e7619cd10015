"""`--set name=value`: what it changes, what then leaves the space, what it refuses."""

from __future__ import annotations

import pytest

from tuner.errors import SpaceError
from tuner.spaces import Space, load_space

PARAMS = {
    "optimizer": {"choices": ["sgd", "adam", "adamw"]},
    "optimizer.momentum": {"low": 0.0, "high": 0.9},
    "optimizer.weight_decay": {"low": 0.0, "high": 0.1, "when": {"optimizer": ["adam", "adamw"]}},
    "schedule": {"choices": ["time", "cosine"]},
    "schedule.decay": {"choices": [0.1, 0.01], "when": {"schedule": "time"}},
    "epochs": {"low": 5, "high": 40},
    "batch_size": {"choices": [32, 64], "when": {"epochs": [5, 6]}},
    "model.layers": 2,
    "model.units": 64,
}
SPACE = Space.from_dict({"name": "mine", "description": "about", "params": PARAMS})


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("3", 3),
        ("1e1", 10),
        ("{low: 1, high: 3}", {"low": 1, "high": 3}),
        ("{low: 1, high: 3, log: true}", {"low": 1, "high": 3, "log": True}),
        ("{choices: [1, 2]}", {"choices": [1, 2]}),
        ("{values: [2, 1]}", {"values": [2, 1]}),
        (
            "{distribution: randint, low: 1, high: 3}",
            {"distribution": "randint", "low": 1, "high": 3},
        ),
    ],
)
def test_a_value_is_any_form_and_everything_else_stays(text, data):
    changed = SPACE.override({"epochs": text, "batch_size": "32"})
    assert changed.to_dict()["params"]["epochs"] == data
    assert changed.name == "mine"
    assert changed.description.startswith("about (")
    for name in PARAMS:
        if name not in ("epochs", "batch_size"):
            assert changed.params[name] == SPACE.params[name]
    assert list(changed.params) == list(PARAMS)


def test_the_space_itself_stays_as_it_was():
    before = SPACE.to_dict()
    SPACE.override({"epochs": "3", "optimizer": "adam"})
    assert SPACE.to_dict() == before == {"name": "mine", "version": 1, "description": "about",
                                         "params": PARAMS}  # fmt: skip


def test_nothing_set_is_the_same_space():
    assert SPACE.override({}) == SPACE


def test_a_parameter_of_the_catalogue_is_added_at_the_end():
    changed = SPACE.override({"model.dropout": "0.5"})
    assert list(changed.params) == [*PARAMS, "model.dropout"]
    assert changed.fixed()["model.dropout"] == 0.5


def test_null_takes_a_parameter_out():
    changed = SPACE.override({"epochs": "null", "model.l1": "null"})
    assert "epochs" not in changed.params
    assert "model.l1" not in changed.params


def test_what_depended_on_a_parameter_taken_out_looks_at_its_default():
    # The default number of epochs is 20, the default optimizer adam.
    assert "batch_size" not in SPACE.override({"epochs": "null"}).params
    changed = SPACE.override({"optimizer": "null"})
    assert changed.params["optimizer.weight_decay"].when == {}
    assert "optimizer.momentum" not in changed.params


def test_what_can_no_longer_be_active_leaves():
    changed = SPACE.override({"schedule": "cosine", "optimizer": "adam"})
    gone = {"schedule.decay", "optimizer.momentum"}
    assert list(changed.params) == [name for name in PARAMS if name not in gone]
    assert changed.params["optimizer.weight_decay"].when == {"optimizer": ("adam",)}
    assert changed.conditions.keys() == {"batch_size"}


def test_leaving_goes_on_to_what_depended_on_what_left():
    params = {
        "optimizer": {"choices": ["sgd", "adam"]},
        "optimizer.momentum": {"choices": [0.0, 0.9]},
        "epochs": {"value": 9, "when": {"optimizer.momentum": 0.9}},
    }
    changed = Space.from_dict({"params": params}).override({"optimizer": "adam"})
    assert list(changed.params) == ["optimizer"]


def test_widths_take_the_number_of_layers_with_them():
    assert "model.layers" not in SPACE.override({"model.units": "64-32"}).params
    date = SPACE.override({"model.units": "1024-12-10"})  # a date to other readers of YAML
    assert date.fixed()["model.units"] == "1024-12-10"


def test_a_new_value_keeps_the_condition_unless_it_brings_one():
    kept = SPACE.override({"schedule.decay": "0.5"})
    assert kept.to_dict()["params"]["schedule.decay"] == {
        "value": 0.5,
        "when": {"schedule": "time"},
    }
    brought = SPACE.override({"schedule.decay": "{value: 0.5, when: {epochs: 7}}"})
    assert brought.params["schedule.decay"].when == {"epochs": (7,)}


def test_a_condition_nobody_asked_for_is_no_obstacle():
    params = {
        "optimizer": {"choices": ["sgd", "rmsprop"]},
        "optimizer.momentum": {"choices": [0.0, 0.9], "when": {"optimizer": "sgd"}},
    }
    changed = Space.from_dict({"params": params}).override(
        {"optimizer": "rmsprop", "optimizer.momentum": "0.5"}
    )
    assert changed.fixed() == {"optimizer": "rmsprop", "optimizer.momentum": 0.5}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epocs": "3"}, "--set epocs: unknown parameter 'epocs'; did you mean epochs?"),
        ({"epocs": "null"}, "--set epocs: unknown parameter 'epocs'; did you mean epochs?"),
        ({"epochs": ""}, "--set epochs: needs a value; got nothing"),
        ({"epochs": "0"}, "--set epochs: must be at least 1, at most 100000; got 0"),
        ({"epochs": "many"}, "--set epochs: must be a whole number; got 'many' (text)"),
        ({"epochs": "[1, 2]"}, "--set epochs: must be one value; got [1, 2] (a list)"),
        ({"epochs": "{low: 3"}, "--set epochs: not valid YAML: while parsing a flow mapping"),
        ({"epochs": "{low: 1, low: 2, high: 3}"}, "--set epochs: low: given twice"),
        ({"epochs": "{low: 3, high: 1}"}, "--set epochs: low must not be above high; got low 3"),
        ({"epochs": "{low: 3, hihg: 4, high: 9}"}, "--set epochs: hihg: unknown field 'hihg'"),
        (
            {"schedule": "cosine", "schedule.decay": "0.1"},
            "--set schedule.decay: does nothing here: it is a setting of time, exponential, "
            "inverse_sqrt, restarts; schedule is cosine",
        ),
        (
            {"schedule.decay": "{value: 1, when: {schedule: constant}}"},
            "--set schedule.decay: when.schedule: schedule never takes the value 'constant'",
        ),
        ({"schedule": "piecewise"}, "--set schedule: piecewise needs schedule.boundaries"),
        (
            {"model.units": "64-32", "model.layers": "3"},
            "--set model.layers: must be left out, since model.units (64-32)",
        ),
        (
            {"epochs": "{low: 1, high: 3}", "model.dropout": "2"},
            "--set model.dropout: must be at least 0, below 1; got 2",
        ),
    ],
)
def test_what_is_wrong_begins_with_the_flag(settings, message):
    with pytest.raises(SpaceError) as caught:
        SPACE.override(settings)
    assert str(caught.value).splitlines()[0].startswith(message)


def test_every_wrong_flag_is_named_at_once():
    with pytest.raises(SpaceError) as caught:
        SPACE.override({"epochs": "0", "optimizer": "sdg", "model.l1": "-1"})
    starts = [line.split(": ")[0] for line in str(caught.value).splitlines()]
    assert sorted(starts) == ["--set epochs", "--set model.l1", "--set optimizer"]


def test_a_shipped_space_takes_the_flags_of_everyday_use():
    space = load_space("sgd_decay")
    adam = space.override({"optimizer": "adam", "schedule": "cosine", "epochs": "3"})
    assert set(space.params) - set(adam.params) == {
        "optimizer.momentum",
        "optimizer.nesterov",
        "schedule.decay",
    }
    step = load_space("schedules").override({"schedule": "step"})
    assert [name for name in step.params if name.startswith("schedule.")] == [
        "schedule.drop",
        "schedule.every",
        "schedule.warmup",
    ]
    assert step.conditions == {}
