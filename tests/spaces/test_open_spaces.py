"""Spaces with names of one's own, beside the catalogue's."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import numpy as np
import optuna
import pytest
from click.testing import CliRunner
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from tuner.cli.main import cli
from tuner.errors import SpaceError
from tuner.spaces import Space, load_space
from tuner.spaces.from_optuna import from_distributions, name_choices, text_of
from tuner.spaces.read import ParameterError, read_parameter
from tuner.study.definition import StudyDefinition

PARAMS: dict[str, Any] = {
    "optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
    "svc__C": {"low": 0.5, "high": 2.0, "step": 0.5},
    "svc.kernel": {"choices": ["rbf", "linear", None]},
    "svc__degree": {"low": 2, "high": 4, "when": {"svc.kernel": "rbf"}},
    "shrinking": {"choices": [True, False]},
    "limit": {"choices": [None, 3, 2.5, "auto", True]},
    "alpha": {"distribution": "loguniform", "a": 0.1, "b": 1.0},
    "filters": [8, 16],
    "seed": 7,
}


def space(open: Any = True, **params: Any) -> Space:
    return of(open, {**PARAMS, **params})


def asked(**more: Any) -> optuna.Trial:
    return cast("optuna.Trial", optuna.trial.FixedTrial({**POINT, **more}))


def of(open: Any, params: dict[str, Any]) -> Space:
    return Space.from_dict({"open": open, "params": params})


def test_kinds_follow_from_the_forms():
    kinds = {name: space().info(name).kind for name in PARAMS}
    assert kinds == {
        "optimizer.learning_rate": "float",
        "svc__C": "float",
        "svc.kernel": "category",
        "svc__degree": "int",
        "shrinking": "bool",
        "limit": "category",
        "alpha": "float",
        "filters": "int",
        "seed": "int",
    }


def test_names_of_the_catalogue_keep_their_meaning():
    assert space().info("optimizer.learning_rate").above == 0
    with pytest.raises(SpaceError, match=r"params\.epochs: must be at least 1, .* got 0"):
        of(True, {**PARAMS, "epochs": 0})
    with pytest.raises(SpaceError, match="momentum: does nothing here"):
        of(True, {"optimizer.momentum": 0.5})


def test_none_of_the_catalogue_if_every_name_is_ones_own():
    made = space("own", loss={"choices": ["hinge", "log_loss"]}, batch_size="auto")
    assert made.suggest(asked(loss="hinge"))["loss"] == "hinge"
    assert made.info("loss").own


def test_a_closed_space_refuses_them():
    with pytest.raises(SpaceError, match=r"unknown parameter 'svc__C'"):
        Space.from_dict({"params": PARAMS})


@pytest.mark.parametrize("name", ["", "a b", "a..b", "1a", "a-b", "x" * 513])
def test_names_are_identifiers(name):
    with pytest.raises(ParameterError, match="a parameter's name is one to 512 letters"):
        read_parameter(name, 1, open=True)


@pytest.mark.parametrize("value", [math.nan, {"value": {"a": 1}}, [[1]], object()])
def test_values_are_what_json_holds(value):
    with pytest.raises(SpaceError, match=r"params\.own"):
        of(True, {"own": value})


def test_choices_that_are_equal_are_refused():
    with pytest.raises(SpaceError, match="must not be given twice; got true, which is the same"):
        of(True, {"own": {"choices": [1, True]}})


def test_it_reads_back_what_it_writes(tmp_path):
    for open in (True, "own"):
        data = json.loads(json.dumps(space(open).to_dict()))
        assert data["open"] == open
        assert Space.from_dict(data) == space(open)
        assert Space.from_dict(data).distributions() == space(open).distributions()
    assert "open" not in load_space("sgd_decay").to_dict()
    file = tmp_path / "mine.yaml"
    file.write_text("open: true\nparams:\n  svc__C: {low: 0.0, high: 1}\n  epochs: 3\n")
    assert load_space(file).distributions() == {"svc__C": FloatDistribution(0, 1)}


def test_hash_and_differences_know_it():
    own = {"epochs": 3, "layers": {"low": 1, "high": 3}}
    first = StudyDefinition(space=of(True, own))
    other = StudyDefinition(space=of("own", own))
    assert first.hash() != other.hash()
    assert other.differences(first) == ['space.open: stored true, given "own"']
    wider = {**own, "layers": {"low": 1, "high": 4}}
    [line] = StudyDefinition(space=of(True, wider)).differences(first)
    assert line.startswith("space.params.layers: stored")


def test_settings_of_the_command_line():
    made = space().override({"svc__C": "{low: 1, high: 3}", "seed": "null", "new": "[a, b]"})
    assert made.open is True
    assert made.distributions()["svc__C"] == IntDistribution(1, 3)
    assert "seed" not in made.params
    assert made.fixed()["new"] == ["a", "b"]
    assert "svc__degree" not in space().override({"svc.kernel": "linear"}).params


POINT = {
    "optimizer.learning_rate": 0.01,
    "svc__C": 1.5,
    "svc.kernel": "rbf",
    "svc__degree": 3,
    "shrinking": True,
    "limit": 2.5,
    "alpha": 0.5,
}


def test_suggest_and_complete():
    whole = {**POINT, "filters": [8, 16], "seed": 7}
    assert space().suggest(asked()) == whole
    assert space().complete(POINT) == whole
    found = space().complete({**POINT, "limit": np.int64(3), "svc__C": 1})
    assert (type(found["limit"]), type(found["svc__C"])) == (int, float)
    with pytest.raises(SpaceError, match=r"limit must be one of null, 3, 2.5, auto, true; got 4"):
        space().complete({**POINT, "limit": 4})
    with pytest.raises(SpaceError, match=r"svc__degree is not active; it needs svc.kernel to be"):
        space().complete({**POINT, "svc.kernel": None})


def test_a_sampler_draws_it():
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=2))
    for _ in range(5):
        trial = study.ask()
        params = space().suggest(trial)
        assert space().complete(trial.params) == params
        study.tell(trial, 0.0)


def test_grids_and_random_draws():
    listed = of(
        True,
        {"C": {"low": 1.0, "high": 2.0, "step": 0.5}, "k": {"choices": [None, 1]}, "n": 3},
    )
    assert listed.size() == 6
    assert len(ParameterGrid(listed.grid())) == 6
    assert {tuple(listed.complete(c)) for c in ParameterGrid(listed.grid())} == {("C", "k", "n")}
    for drawn in ParameterSampler(space().random(), 20, random_state=0):
        space().complete(drawn)


def test_spaces_show(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("open: true\nparams:\n  svc__C: {low: 0, high: 1}\n  k: {choices: [a, 1]}\n")
    shown = json.loads(
        CliRunner().invoke(cli, ["spaces", "show", str(file), "--format", "json"]).output
    )
    assert [row["kind"] for row in shown["params"]] == ["int", "category"]


def square(x):
    return x * x


@pytest.mark.filterwarnings("ignore:The distribution is specified by")
def test_optunas_distributions_and_back():
    given = {
        "a": FloatDistribution(-1, 2),
        "b": FloatDistribution(1e-320, 1e300, log=True),
        "c": FloatDistribution(0.1, 0.7, step=0.2),
        "d": IntDistribution(1, 9),
        "loss": IntDistribution(1, 1000, log=True),
        "f": IntDistribution(0, 11, step=5),
        "g": CategoricalDistribution(("b", None, 2, 2.5, False)),
        "h": IntDistribution(3, 3),
    }
    made, named = from_distributions(given)
    assert dict(named.of) == {}
    assert made.distributions() == given
    assert Space.from_dict(json.loads(json.dumps(made.to_dict()))).distributions() == given


@pytest.mark.filterwarnings("ignore:Choices for a categorical distribution")
def test_choices_that_json_cannot_hold_are_named():
    choices = [
        (64,),
        (64, 32),
        "(64,)",
        square,
        StandardScaler(),
        MinMaxScaler(),
        math.inf,
        True,
        1,
    ]
    made, named = from_distributions({"own": CategoricalDistribution(choices)})
    texts = tuple(made.params["own"].points() or ())
    assert texts == (
        "(64,) (2)",
        "(64, 32)",
        "(64,)",
        f"{__name__}.square",
        "StandardScaler()",
        "MinMaxScaler()",
        "inf",
        True,
        "1",
    )
    back = [named.objects({"own": text})["own"] for text in texts]
    assert back == choices
    assert [named.texts({"own": choice})["own"] for choice in back] == list(texts)
    assert named.texts({"own": (64, 32), "other": np.int64(2)}) == {"own": "(64, 32)", "other": 2}


def test_numpys_scalars_become_pythons():
    items, objects = name_choices([np.int64(3), np.float32(0.5), np.str_("a"), np.bool_(True)])
    assert [type(item) for item in items] == [int, float, str, bool]
    assert not objects
    ends = {"low": np.float64(0.5), "high": np.float32(1)}
    assert of(True, {"x": ends}).distributions()["x"] == FloatDistribution(0.5, 1)


def test_texts_hold_no_address_and_end_somewhere():
    assert text_of(object()) == "object"
    first, second = text_of(list(range(500))), text_of([*range(499), 0])
    assert first != second
    assert len(first) <= 120


def test_other_distributions_are_refused():
    with pytest.raises(SpaceError, match=r"'a' has float. Available: CategoricalDistribution"):
        from_distributions({"a": 0.5})  # type: ignore[dict-item]
