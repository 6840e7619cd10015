"""Every number of a definition: finite and within a range, or refused with the rule."""

from __future__ import annotations

import math
import types
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from tuner.data.folds import FoldSpec
from tuner.errors import DefinitionError, SpaceError
from tuner.limits import MOST, MOST_SECONDS, MOST_SEED, MOST_TRIALS
from tuner.spaces import Space, load_space
from tuner.spaces.yaml_file import validate_data
from tuner.study.definition import DataSpec, StudyDefinition
from tuner.study.pruners import PRUNERS
from tuner.study.samplers import SAMPLERS

EXTREMES = [
    math.nan, math.inf, -math.inf, 1e308, -1, 0, 1e-300, 10**30, 10**400, 16**9000, -(10**30),
]  # fmt: skip
MODELS: list[type[BaseModel]] = [
    StudyDefinition, DataSpec, FoldSpec, *SAMPLERS.values(), *PRUNERS.values(),
]  # fmt: skip


def kinds(annotation: Any) -> set[type]:
    """The plain types that a field may have."""
    if get_origin(annotation) in (Union, types.UnionType):
        return {kind for part in get_args(annotation) for kind in kinds(part)}
    if hasattr(annotation, "__metadata__"):
        return kinds(annotation.__origin__)
    return {annotation} if isinstance(annotation, type) else set()


FIELDS = [
    (model, name)
    for model in MODELS
    for name, field in model.model_fields.items()
    if kinds(field.annotation) & {int, float}
]


def given(model: type[BaseModel], name: str, value: Any) -> dict[str, Any]:
    needed: dict[str, Any] = {"space": load_space("sgd_decay")} if model is StudyDefinition else {}
    return {**needed, name: value}


def test_all_numbers_are_found() -> None:
    found = {(model.__name__, name) for model, name in FIELDS}
    assert {("StudyDefinition", "timeout"), ("FoldSpec", "share"), ("DataSpec", "limit")} < found
    assert {("Tpe", "n_ei_candidates"), ("Patient", "min_delta"), ("CmaEs", "popsize")} < found


@pytest.mark.parametrize(
    ("model", "name"), FIELDS, ids=[f"{model.__name__}.{name}" for model, name in FIELDS]
)
def test_a_number_is_finite_and_bounded(model, name) -> None:
    most = {"timeout": MOST_SECONDS, "trials": MOST_TRIALS}.get(name, max(MOST, MOST_SEED))
    whole = int in kinds(model.model_fields[name].annotation)
    for value in EXTREMES:
        made, problems = validate_data(given(model, name, value), model, "mine")
        if made is None:
            assert any(word in str(problems[0]) for word in ("must", "threshold"))
            assert len(str(problems[0])) < 200
        else:
            held = getattr(made, name)
            assert math.isfinite(held)
            assert not whole or abs(held) <= most


@pytest.mark.parametrize(
    ("model", "name"), FIELDS, ids=[f"{model.__name__}.{name}" for model, name in FIELDS]
)
@pytest.mark.parametrize("value", [True, False])
def test_truth_is_no_number(model, name, value) -> None:
    made, problems = validate_data(given(model, name, value), model, "mine")
    assert made is None
    assert "must be" in str(problems[0])


@pytest.mark.parametrize("field", ["sampler", "pruner"])
@pytest.mark.parametrize("value", [{}, {"name": None}, {"n_warmup_steps": 3}])
def test_a_kind_without_its_name_is_told_so(field, value) -> None:
    made, problems = validate_data(given(StudyDefinition, field, value), StudyDefinition, "mine")
    assert made is None
    assert "name is required. Available: " in str(problems[0])


@pytest.mark.parametrize("pruner", list(PRUNERS))
@pytest.mark.parametrize("end", [0, MOST])
def test_pruners_of_extreme_settings_answer(pruner, end) -> None:
    """At the ends of what is accepted nothing overflows or hangs."""
    import optuna

    kind = PRUNERS[pruner]
    for name in (field for model, field in FIELDS if model is kind):
        others = {"lower": 0.0} if pruner == "threshold" and name != "lower" else {}
        try:
            made = kind.model_validate({**others, name: end})
        except ValidationError:
            continue
        study = optuna.create_study(pruner=made.build(10))
        for _ in range(3):
            trial = study.ask()
            for step in range(3):
                trial.report(0.5, step)
                trial.should_prune()
            study.tell(trial, 0.5)


def of(params: dict[str, Any]) -> Space:
    return Space.from_dict({"name": "mine", "params": params})


def test_a_huge_grid_is_refused_by_its_count() -> None:
    space = of({"epochs": {"low": 1, "high": 1000}, "batch_size": {"low": 1, "high": 10**6}})
    made = StudyDefinition(space=space).override({"sampler": "grid"})
    with pytest.raises(DefinitionError, match="grid makes 1000000000 of the space mine"):
        made.total_trials(None)
    brute = StudyDefinition(space=space).override({"sampler": "brute-force"})
    with pytest.raises(DefinitionError, match="at most 100000 trials"):
        brute.total_trials(None)
    assert brute.total_trials(50) == 50
    with pytest.raises(DefinitionError, match="at most 100000 trials"):
        StudyDefinition(space=space).total_trials(10**9)


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer.learning_rate": 1e39},
        {"optimizer.learning_rate": 1e-50},
        {"optimizer.learning_rate": 1e-39},
        {"optimizer.learning_rate": 10**400},
        {"optimizer.learning_rate": {"low": 1e-3, "high": 1e39, "log": True}},
        {"optimizer.learning_rate": {"low": 1e-60, "high": 1.0, "log": True}},
        {"optimizer.learning_rate": {"choices": [0.1, 1e300]}},
        {"optimizer.learning_rate": {"values": [1e-45, 0.1]}},
        {"optimizer.learning_rate": {"distribution": "loguniform", "a": 1e-50, "b": 1}},
        {"optimizer.learning_rate": {"distribution": "uniform", "loc": 1e-3, "scale": 1e300}},
        {"optimizer.beta_2": 1 - 1e-12},
        {"model.dropout": 0.99999999999},
        {"model.l2": 1e39},
        {"schedule": "piecewise", "schedule.boundaries": [1e300], "schedule.factors": [0.1]},
        {"schedule": "piecewise", "schedule.boundaries": [1], "schedule.factors": [1e-50]},
    ],
    ids=str,
)
def test_what_float32_cannot_hold_is_refused(params) -> None:
    with pytest.raises(SpaceError, match="float32") as caught:
        of(params)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"epochs": 1e9}, "epochs: must be at least 1, at most 100000; got 1000000000.0"),
        ({"epochs": {"low": 1, "high": 10**7}}, "epochs.high: must be at least 1, at most 100000"),
        ({"model.layers": 10**6}, "model.layers: must be at least 0, at most 100"),
        ({"model.units": "64-1000000"}, "at most 100000 in each layer; got '64-1000000'"),
        ({"model.units": "8-" * 100 + "8"}, "must be at most 100 widths; got 101"),
        ({"batch_size": 10**30}, "batch_size: must be at least 1, at most 1000000000"),
        ({"schedule.warmup": 10**8}, "schedule.warmup: must be at least 0, at most 100000"),
    ],
)
def test_sizes_that_no_machine_has_are_refused(params, said) -> None:
    with pytest.raises(SpaceError) as caught:
        of(params)
    assert said in str(caught.value)
