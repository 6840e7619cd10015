"""A space towards Optuna: distributions, suggestions under conditions, completed candidates."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FixedTrial
from pydantic import ValidationError

from tuner.errors import PlanError, SpaceError
from tuner.planning import plan_training
from tuner.spaces import Space
from tuner.spaces.points import default_point, fitted_point

optuna.logging.set_verbosity(optuna.logging.WARNING)


def space(**params: Any) -> Space:
    return Space.from_dict({"params": {k.replace("__", "."): v for k, v in params.items()}})


FORMS = {
    "float range": (
        "optimizer.learning_rate",
        {"low": 1, "high": 2},
        FloatDistribution(1.0, 2.0),
    ),
    "log range": (
        "optimizer.learning_rate",
        {"low": 1e-4, "high": 1, "log": True},
        FloatDistribution(1e-4, 1.0, log=True),
    ),
    "steps": (
        "model.dropout",
        {"low": 0, "high": 0.6, "step": 0.1},
        FloatDistribution(0.0, 0.6, step=0.1),
    ),
    "whole range": ("epochs", {"low": 5, "high": 40}, IntDistribution(5, 40)),
    "whole steps": ("epochs", {"low": 5, "high": 40, "step": 5}, IntDistribution(5, 40, step=5)),
    "whole log range": (
        "batch_size",
        {"low": 8, "high": 512, "log": True},
        IntDistribution(8, 512, log=True),
    ),
    "choices": ("initializer", {"choices": ["zeros", "ones"]}, ("zeros", "ones")),
    "booleans": ("model.batch_norm", {"choices": [True, False]}, (True, False)),
    "null among choices": ("optimizer.clipnorm", {"choices": [None, 1]}, (None, 1.0)),
    "values": ("batch_size", {"values": [64, 16]}, (64, 16)),
    "widths": ("model.units", {"choices": ["64", "64-32"]}, ("64", "64-32")),
    "loguniform": (
        "optimizer.learning_rate",
        {"distribution": "loguniform", "a": 1e-4, "b": 1},
        FloatDistribution(1e-4, 1.0, log=True),
    ),
    "uniform": (
        "model.dropout",
        {"distribution": "uniform", "loc": 0.1, "scale": 0.5},
        FloatDistribution(0.1, 0.6),
    ),
    "randint, whose high is excluded": (
        "epochs",
        {"distribution": "randint", "low": 5, "high": 40},
        IntDistribution(5, 39),
    ),
    "norm": (
        "optimizer.momentum",
        {"distribution": "norm", "loc": 0.9, "scale": 0.1, "low": 0.5, "high": 1},
        FloatDistribution(0.5, 1.0),
    ),
    "lognorm": (
        "model.l2",
        {"distribution": "lognorm", "s": 1, "scale": 1e-3, "low": 1e-6, "high": 1},
        FloatDistribution(1e-6, 1.0, log=True),
    ),
    "expon": (
        "model.l2",
        {"distribution": "expon", "scale": 1e-3, "low": 0, "high": 1},
        FloatDistribution(0.0, 1.0),
    ),
    "beta": (
        "optimizer.momentum",
        {"distribution": "beta", "a": 2, "b": 5},
        FloatDistribution(0.0, 1.0),
    ),
}


def of_form(form: str) -> Space:
    name, data, _ = FORMS[form]
    return Space.from_dict({"params": {"optimizer": "sgd", name: data}})


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_the_optuna_distribution_that_says_the_same(form):
    name, _, expected = FORMS[form]
    if isinstance(expected, tuple):
        expected = CategoricalDistribution(expected)
    distributions = of_form(form).distributions()
    assert distributions == {name: expected}
    if isinstance(expected, CategoricalDistribution):
        types = [type(choice) for choice in distributions[name].choices]  # type: ignore[attr-defined]
        assert types == [type(choice) for choice in expected.choices]


def test_the_defaults_of_a_space_are_a_point_of_it():
    params: dict[str, Any] = {
        "optimizer.momentum": {"low": 0, "high": 1, "default": 1},
        "optimizer": {"choices": ["adam", "sgd"], "default": "sgd"},
        "optimizer.nesterov": {"choices": [True, False], "when": {"optimizer": "sgd"}},
        "model.l2": {"distribution": "uniform", "default": 0.25, "when": {"epochs": 4}},
        "model.l1": {"distribution": "uniform", "default": 0.5, "when": {"optimizer": "adam"}},
        "epochs": {"values": [4, 8]},
    }
    made = Space.from_dict({"params": params})
    # What epochs decides stays open, and what sgd leaves out is out.
    assert default_point(made) == {"optimizer.momentum": 1.0, "optimizer": "sgd"}
    assert fitted_point(made, default_point(made)) == default_point(made)
    assert Space.from_dict(made.to_dict()) == made
    assert "default" not in Space.from_dict({"params": {"epochs": {"low": 1, "high": 2}}}).to_dict()
    drawn = made.params["model.l2"].to_sklearn()
    assert (drawn.mean(), drawn.support()) == (0.5, (0, 1))
    assert made.params["model.l2"].describe() == "uniform()"


@pytest.mark.parametrize("form", FORMS)
def test_every_form_survives_json(form):
    made = of_form(form)
    again = Space.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made
    assert again.to_dict() == made.to_dict()
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_round_trip_keeps_order_conditions_and_the_description():
    data: dict[str, Any] = {
        "name": "mine",
        "version": 1,
        "description": "about",
        "params": {
            "schedule.per": {"value": "epoch", "when": {"schedule": ["time", "exponential"]}},
            "schedule": {"choices": ["time", "exponential", "restarts"]},
            "schedule.boundaries": None,
            "epochs": {"low": 1, "high": 4, "when": {"schedule": "time"}},
        },
    }
    made = Space.from_dict(data)
    assert made.to_dict() == data
    assert list(made.to_dict()["params"]) == list(data["params"])


def test_numbers_take_the_kind_of_their_parameter():
    made = space(optimizer__learning_rate=1, epochs=3.0, model__l2={"choices": [0, 1]})
    assert repr(made.fixed()) == "{'optimizer.learning_rate': 1.0, 'epochs': 3}"
    assert repr(made.params["model.l2"].points()) == "(0.0, 1.0)"


def test_a_space_cannot_be_changed():
    made = space(epochs=3)
    with pytest.raises(ValidationError):
        made.name = "other"
    with pytest.raises(ValidationError):
        made.params["epochs"].value = 4  # type: ignore[attr-defined]


CONDITIONAL = {
    # Before its parents on purpose: the file's order is not the order of asking.
    "optimizer.nesterov": {"choices": [True, False], "when": {"optimizer.momentum": [0.5, 0.9]}},
    "optimizer": {"choices": ["sgd", "adam", "adamw"]},
    "optimizer.momentum": {"choices": [0.0, 0.5, 0.9]},
    "optimizer.weight_decay": {"low": 0.0, "high": 0.1, "when": {"optimizer": "adamw"}},
    "batch_size": {"value": 64, "when": {"optimizer": ["adam", "adamw"]}},
    "epochs": {"low": 1, "high": 3},
    "model.units": 32,
}


def active_names(values: dict[str, Any]) -> list[str]:
    """Which names CONDITIONAL makes active, worked out by hand."""
    names = ["optimizer", "epochs", "model.units"]
    if values["optimizer"] == "sgd":
        names.append("optimizer.momentum")
        if values["optimizer.momentum"] in (0.5, 0.9):
            names.append("optimizer.nesterov")
    else:
        names.append("batch_size")
    if values["optimizer"] == "adamw":
        names.append("optimizer.weight_decay")
    return [name for name in CONDITIONAL if name in names]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("multivariate", [True, False])
def test_suggest_asks_for_the_active_parameters_only_under_grouped_tpe(multivariate):
    made = Space.from_dict({"params": CONDITIONAL})
    sampler = optuna.samplers.TPESampler(
        seed=0, multivariate=multivariate, group=multivariate, n_startup_trials=5
    )
    study = optuna.create_study(sampler=sampler)
    seen = set()
    for _ in range(50):
        trial = study.ask()
        values = made.suggest(trial)
        assert list(values) == active_names(values)
        asked = {name for name in values if made.params[name].varies}
        assert set(trial.params) == asked
        assert {name: values[name] for name in asked} == trial.params
        assert values["model.units"] == 32
        assert values.get("batch_size", 64) == 64
        seen.add(tuple(values))
        study.tell(trial, float(len(values)) + 0.1 * values["epochs"])  # type: ignore[operator]
    assert len(seen) == 4


def test_suggest_takes_what_a_fixed_trial_has():
    made = Space.from_dict({"params": CONDITIONAL})
    trial = FixedTrial(
        {"optimizer": "sgd", "optimizer.momentum": 0.9, "optimizer.nesterov": True, "epochs": 2}
    )
    assert made.suggest(trial) == {  # type: ignore[arg-type]
        "optimizer.nesterov": True,
        "optimizer": "sgd",
        "optimizer.momentum": 0.9,
        "epochs": 2,
        "model.units": 32,
    }


def test_what_depends_on_an_inactive_parameter_is_inactive():
    params = {
        "optimizer": {"choices": ["sgd", "adam"]},
        "optimizer.momentum": {"choices": [0.5, 0.9], "when": {"optimizer": "sgd"}},
        "epochs": {"value": 7, "when": {"optimizer.momentum": [0.5, 0.9]}},
    }
    made = Space.from_dict({"params": params})
    assert made.suggest(FixedTrial({"optimizer": "adam"})) == {"optimizer": "adam"}  # type: ignore[arg-type]


def test_a_condition_that_always_holds_is_none():
    made = space(
        optimizer={"choices": ["sgd", "rmsprop"]},
        optimizer__momentum=0.9,
        epochs={"value": 3, "when": {"optimizer": ["sgd", "rmsprop"]}},
    )
    assert made.conditions == {}
    assert made.fixed() == {"optimizer.momentum": 0.9, "epochs": 3}


def test_the_catalogue_s_conditions_hold_for_the_default_and_for_aliases():
    assert space(optimizer__beta_1=0.8).fixed() == {"optimizer.beta_1": 0.8}  # adam
    smoothed = space(loss={"choices": ["mse", "huber"]}, loss__delta={"low": 0.1, "high": 1})
    assert smoothed.suggest(FixedTrial({"loss": "mse"})) == {"loss": "mse"}  # type: ignore[arg-type]
    assert "loss.delta" in smoothed.suggest(FixedTrial({"loss": "huber", "loss.delta": 0.5}))  # type: ignore[arg-type]


def test_complete_adds_the_fixed_values_and_makes_python_of_numpy():
    made = Space.from_dict({"params": CONDITIONAL})
    candidate = {
        "epochs": np.int64(2),
        "optimizer": np.str_("adamw"),
        "optimizer.weight_decay": np.float64(0.05),
    }
    complete = made.complete(candidate)
    assert complete == {
        "optimizer": "adamw",
        "optimizer.weight_decay": 0.05,
        "batch_size": 64,
        "epochs": 2,
        "model.units": 32,
    }
    assert [type(value) for value in complete.values()] == [str, float, int, int, int]
    assert list(complete) == active_names(complete)
    assert made.complete(complete) == complete


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        ({"epochs": 2}, "optimizer is required; got epochs"),
        ({"optimizer": "adam", "epochs": 9}, "epochs must be one of 1 .. 3; got 9"),
        ({"optimizer": "adam", "epochs": 1.5}, "epochs must be a whole number; got 1.5"),
        ({"optimizer": "lion", "epochs": 2}, "optimizer must be one of sgd, adam, adamw; got"),
        ({"optimizer": "adam", "epochs": 2, "epoch": 2}, "unknown parameter 'epoch'; did you"),
        (
            {"optimizer": "adam", "epochs": 2, "optimizer.weight_decay": 0.1},
            "optimizer.weight_decay is not active; it needs optimizer to be adamw",
        ),
        ({"optimizer": "adam", "epochs": 2, "model.units": 64}, "model.units must be one of 32"),
    ],
)
def test_complete_refuses_what_the_space_does_not_hold(candidate, message):
    with pytest.raises(SpaceError, match="candidate") as caught:
        Space.from_dict({"params": CONDITIONAL}).complete(candidate)
    assert message in str(caught.value)


def test_complete_takes_every_step_however_it_was_computed():
    made = space(model__dropout={"low": 0.0, "high": 0.6, "step": 0.1})
    assert made.complete({"model.dropout": 0.1 + 0.2}) == {"model.dropout": 0.1 + 0.2}
    with pytest.raises(SpaceError, match=r"must be one of 0 \.\. 0\.6, step 0\.1; got 0\.25"):
        made.complete({"model.dropout": 0.25})


def test_from_dict_names_the_space_and_every_fault():
    with pytest.raises(SpaceError) as caught:
        Space.from_dict({"name": "mine", "params": {"epochs": 0, "optimizer": "sgdd"}})
    assert str(caught.value).splitlines() == [
        "space mine: params.epochs: must be at least 1, at most 100000; got 0",
        "space mine: params.optimizer: unknown optimizer 'sgdd'; did you mean sgd? Available: "
        "sgd, rmsprop, adam, adamw, nadam, adamax, adagrad, adadelta, ftrl, lion, lamb, "
        "adafactor, muon",
    ]


def test_an_optimizer_that_the_installed_keras_lacks_is_refused(monkeypatch):
    monkeypatch.setattr("tuner.optimizers.version", lambda name: "3.12.4")
    rule = "optimizer muon needs Keras 3.13 or later; got Keras 3.12.4"
    with pytest.raises(SpaceError, match=f"params.optimizer: {rule}"):
        Space.from_dict({"name": "mine", "params": {"optimizer": {"choices": ["adam", "muon"]}}})
    with pytest.raises(PlanError, match=rule):
        plan_training({"optimizer": "muon"}, features=1, outputs=1, task="binary")
    Space.from_dict({"name": "mine", "params": {"optimizer": "lamb"}})


RATE = "optimizer.learning_rate"
REGRESSION: dict[str, Any] = {
    "params": {
        "optimizer": "sgd",
        "optimizer.learning_rate": {"low": 1e-3, "high": 1.0, "log": True},
        "epochs": 5,
    },
    "regression": {
        "optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
        "optimizer.global_clipnorm": 1.0,
        "schedule.warmup": {"choices": [0, 1]},
    },
}


def test_a_regression_has_its_own_parameters_in_their_place():
    made = Space.from_dict(REGRESSION)
    assert Space.from_dict(made.to_dict()) == made
    own, other = made.for_task("regression"), made.for_task("multiclass")
    assert other == Space.from_dict({"params": REGRESSION["params"]})
    names = [*REGRESSION["params"], "optimizer.global_clipnorm", "schedule.warmup"]
    assert list(own.params) == names
    assert own.distributions()["optimizer.learning_rate"] == FloatDistribution(1e-4, 0.1, log=True)
    asked = own.suggest(FixedTrial({RATE: 0.01, "schedule.warmup": 1}))  # type: ignore[arg-type]
    assert asked["optimizer.global_clipnorm"] == 1
    assert own.for_task("regression") == own


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"epochs": "3"}, [*REGRESSION["regression"]]),
        ({RATE: "0.5"}, ["optimizer.global_clipnorm", "schedule.warmup"]),
        (
            {"optimizer.global_clipnorm": "null", "schedule.warmup": "2"},
            ["optimizer.learning_rate"],
        ),
        ({"optimizer.clipnorm": "2"}, [RATE, "schedule.warmup"]),
        ({"optimizer.clipvalue": "2"}, [RATE, "schedule.warmup"]),
    ],
)
def test_what_is_set_anew_holds_for_a_regression_too(settings, left):
    made = Space.from_dict(REGRESSION).override(settings)
    assert list(made.regression) == left
    own = made.for_task("regression")
    for name, value in settings.items():
        assert own.fixed().get(name) == (None if value == "null" else float(value))


@pytest.mark.parametrize(
    ("regression", "said"),
    [
        ({"epohcs": 3}, ["regression.epohcs", "epochs"]),
        ({"epochs": 0}, ["regression.epochs", "at least 1"]),
        ({"schedule.decay": 0.1}, ["regression.schedule.decay"]),
        ({"optimizer.clipvalue": 1.0, "optimizer.clipnorm": 1.0}, ["optimizer.clipvalue"]),
        ([1], ["regression: must be parameters"]),
    ],
)
def test_what_a_regression_sets_must_fit_the_space(regression, said):
    with pytest.raises(SpaceError) as error:
        Space.from_dict({**REGRESSION, "regression": regression})
    assert all(part in str(error.value) for part in said), error.value
