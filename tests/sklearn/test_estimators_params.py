"""Constructor parameters: all of the catalogue, the same defaults, checked in `fit`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tuner.errors import SpaceError, UsageError
from tuner.planning import plan_training
from tuner.sklearn import KerasMLPClassifier, KerasMLPRegressor
from tuner.sklearn.estimators.documented import described, table
from tuner.sklearn.estimators.parameters import PARAMETERS
from tuner.sklearn.estimators.plan import plan_of
from tuner.sklearn.search.study_parts import catalogue_space
from tuner.spaces.catalogue import CATALOGUE

BOTH = (KerasMLPClassifier, KerasMLPRegressor)
X = np.random.default_rng(0).normal(size=(20, 3))
Y = np.arange(20) % 2


def plan(**params: Any):
    return plan_of(KerasMLPClassifier(**params), features=3, outputs=4, task="multiclass")


def catalogue_plan(**params: Any):
    return plan_training(
        {name.replace("__", "."): value for name, value in params.items()},
        features=3,
        outputs=4,
        task="multiclass",
    )


@pytest.mark.parametrize("kind", BOTH)
def test_the_constructor_takes_the_whole_catalogue_with_its_defaults(kind: type) -> None:
    defaults = {
        name: parameter.default for name, parameter in inspect.signature(kind).parameters.items()
    }
    own = {"hidden_layer_sizes", "validation_fraction", "random_state", "warm_start", "verbose"}
    assert set(defaults) == set(PARAMETERS) | own | {"categorical_features"}
    assert set(PARAMETERS.values()) == set(CATALOGUE) - {"model.units", "model.layers"}
    for flat, dotted in PARAMETERS.items():
        if defaults[flat] is not None:
            assert defaults[flat] == CATALOGUE[dotted].default, flat


def test_defaults_train_what_the_search_trains_by_default() -> None:
    assert plan() == catalogue_plan()


def test_parameters_reach_the_plan_of_the_search() -> None:
    assert plan(
        hidden_layer_sizes=[16, 8],
        activation="tanh",
        dropout=0.1,
        dropout_schedule="coslog4",
        weight_decay=0.1,
        weight_decay_schedule="flat_cosine",
        label_smoothing_schedule="cosine",
        batch_norm=True,
        skip_connections=True,
        embedding="pbld",
        embedding_sigma=0.2,
        embedding_frequencies=9,
        embedding_units=5,
        l1=1e-5,
        l2=1e-4,
        initializer="lecun_uniform",
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        nesterov=True,
        clipnorm=1.0,
        schedule="restarts",
        decay=0.01,
        decay_per="epoch",
        restart_every=4,
        restarts=2,
        cycle_mult=2.0,
        warmup=2,
        batch_size=64,
        epochs=7,
        label_smoothing=0.1,
        patience=3,
        min_delta=0.01,
    ) == catalogue_plan(
        model__units="16-8",
        model__activation="tanh",
        model__dropout=0.1,
        model__dropout_schedule="coslog4",
        optimizer__weight_decay=0.1,
        optimizer__weight_decay_schedule="flat_cosine",
        loss__label_smoothing_schedule="cosine",
        model__batch_norm=True,
        model__skip_connections=True,
        embedding="pbld",
        embedding__sigma=0.2,
        embedding__frequencies=9,
        embedding__units=5,
        model__l1=1e-5,
        model__l2=1e-4,
        initializer="lecun_uniform",
        optimizer="sgd",
        optimizer__learning_rate=0.1,
        optimizer__momentum=0.9,
        optimizer__nesterov=True,
        optimizer__clipnorm=1.0,
        schedule="restarts",
        schedule__decay=0.01,
        schedule__per="epoch",
        schedule__restart_every=4,
        schedule__restarts=2,
        schedule__cycle_mult=2.0,
        schedule__warmup=2,
        batch_size=64,
        epochs=7,
        loss__label_smoothing=0.1,
        early_stopping__patience=3,
        early_stopping__min_delta=0.01,
    )
    assert plan(
        schedule="plateau", plateau_factor=0.5, plateau_patience=2, plateau_min_delta=0.1,
        plateau_min_rate=1e-5, plateau_cooldown=1,
    ) == catalogue_plan(
        schedule="plateau", schedule__factor=0.5, schedule__patience=2, schedule__min_delta=0.1,
        schedule__min_rate=1e-5, schedule__cooldown=1,
    )  # fmt: skip


def test_numbers_of_numpy_are_numbers() -> None:
    drawn = plan(
        hidden_layer_sizes=np.array([8, 4]),
        dropout=np.float32(0.5),
        batch_norm=np.bool_(True),
        epochs=np.int64(3),
        activation=np.str_("tanh"),
        schedule="piecewise",
        boundaries=np.array([1, 2]),
        factors=(0.5, np.float64(0.1)),
    )
    assert drawn == catalogue_plan(
        model__units="8-4",
        model__dropout=0.5,
        model__batch_norm=True,
        epochs=3,
        model__activation="tanh",
        schedule="piecewise",
        schedule__boundaries=[1, 2],
        schedule__factors=[0.5, 0.1],
    )


@pytest.mark.slow
def test_a_fit_takes_numbers_of_numpy_as_python_s() -> None:
    given: dict[str, Any] = {
        "hidden_layer_sizes": 4,
        "epochs": 2,
        "patience": 1,
        "random_state": 3,
        "validation_fraction": 0.25,
        "class_weight": {0: 2.0, 1: 1.0},
    }
    of_numpy: dict[str, Any] = {
        **{name: np.int64(given[name]) for name in ("hidden_layer_sizes", "epochs", "patience")},
        "random_state": np.uint8(3),
        "validation_fraction": np.float32(0.25),
        "class_weight": {np.int64(0): np.float32(2.0), np.int64(1): np.int64(1)},
        "batch_norm": np.bool_(False),
        "warm_start": np.bool_(False),
        "verbose": np.int8(0),
        "dropout": np.array(0.0),
    }
    ours, theirs = KerasMLPClassifier(**given), KerasMLPClassifier(**of_numpy)
    np.testing.assert_array_equal(
        ours.fit(X, Y).predict_proba(X), theirs.fit(X, Y).predict_proba(X)
    )


NEEDED = [
    name
    for name, parameter in inspect.signature(KerasMLPClassifier).parameters.items()
    if parameter.default is not None
]


@pytest.mark.parametrize("name", NEEDED)
def test_none_is_refused_where_it_means_nothing(name: str) -> None:
    assert len(NEEDED) >= 22
    with pytest.raises(ValueError, match=rf"^{name} needs a value; got None\. Its default is"):
        plan(**{name: None})


@pytest.mark.parametrize(
    ("sizes", "units"),
    [
        (5, (5,)),
        ((), ()),
        ([7], (7,)),
        (np.int64(3), (3,)),
        (np.array(6), (6,)),
        ((4, 2), (4, 2)),
    ],
)
def test_sizes_of_layers(sizes: object, units: tuple[int, ...]) -> None:
    assert plan(hidden_layer_sizes=sizes).model.units == units


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"dropout": 1.5}, r"^dropout must be a number at least 0, below 1; got 1.5"),
        ({"optimizer": "adm"}, r"unknown optimizer 'adm'; did you mean adam\?"),
        ({"momentum": 0.9}, r"optimizer 'adam' has no setting momentum; got momentum=0.9. Avail"),
        (
            {"schedule": "time", "drop_every": 3},
            r"schedule 'time' has no setting drop_every; .* Available: decay, decay_per, warmup$",
        ),
        ({"plateau_patience": 3}, r"schedule 'constant' has no setting plateau_patience"),
        ({"schedule": "step", "drop_every": 0}, r"^drop_every must be a whole number at least 1"),
        ({"hidden_layer_sizes": (4, 0)}, r"hidden_layer_sizes must be .*; got \(4, 0\)"),
        ({"hidden_layer_sizes": "64"}, r"hidden_layer_sizes must be .*; got '64'"),
        ({"hidden_layer_sizes": [None]}, r"hidden_layer_sizes must be .*; got \[None\]"),
        ({"hidden_layer_sizes": True}, r"hidden_layer_sizes must be .*; got True"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, r"clipped in one way only"),
        ({"class_weight": "equal"}, r"unknown class_weight 'equal'"),
        ({"class_weight": {0: 2.0, "1": 3.0}}, r"labels of y, 0, 1; got '1'"),
        ({"class_weight": {0: -2.0}}, r"class_weight must .* at least 0; got -2.0 for 0"),
        ({"class_weight": {0: "2"}}, r"class_weight must .* at least 0; got '2' for 0"),
        ({"class_weight": {0: 0, 1: 3}}, r"class_weight must leave at least 2 classes above 0"),
        ({"loss": "mse", "delta": 2.0}, r"^delta is for the loss huber"),
        ({"patience": -1}, r"^patience must be a whole number at least 0; got -1"),
        ({"patience": 1, "validation_fraction": 1.0}, r"validation_fraction must be .*; got 1.0"),
        ({"random_state": -3}, r"random_state must not be negative; got -3"),
    ],
)
def test_bad_parameters_are_refused_in_fit_in_the_constructor_s_words(
    params: dict[str, Any], message: str
) -> None:
    estimator = KerasMLPClassifier(**params)  # stores only
    with pytest.raises(ValueError, match=message) as caught:
        estimator.fit(X, Y)
    assert isinstance(caught.value, UsageError)
    words = str(caught.value).split("got")[0]
    assert not re.search(r"(optimizer|schedule|model|loss|early_stopping)\.\w", words)


@pytest.mark.parametrize("weights", ["balanced", {0: 2.0}])
def test_class_weights_are_for_one_class_a_row(weights: Any) -> None:
    for estimator, y in (
        (KerasMLPRegressor(class_weight=weights), X[:, 0]),
        (KerasMLPClassifier(class_weight=weights), (X > 0).astype(int)),
    ):
        with pytest.raises(ValueError, match=r"^class_weight is for binary and multiclass tasks"):
            estimator.fit(X, y)


@pytest.mark.parametrize("kind", BOTH)
def test_help_describes_every_parameter_once(kind: type) -> None:
    names = re.findall(r"^    (\w+) : ", kind.__doc__.split("Attributes\n")[0], re.MULTILINE)
    assert names == [one.name for one in described()]
    assert sorted(names) == sorted(inspect.signature(kind).parameters)


def test_the_table_in_the_docs_is_that_of_the_code() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "sklearn.md"
    assert table(KerasMLPClassifier().get_params()) in docs.read_text(encoding="utf-8")


def test_a_space_with_another_packages_settings_is_refused() -> None:
    space = SimpleNamespace(params={"schedule": None, "model.units": None, "schedule.teeth": None})
    with pytest.raises(SpaceError, match=r"another package: schedule\.teeth"):
        catalogue_space(space, "")  # type: ignore[arg-type]
