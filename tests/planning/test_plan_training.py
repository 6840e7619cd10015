"""From a trial's parameters to a plan: defaults, aliases, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tuner.errors import PlanError
from tuner.optimizers import CLIPPING, OPTIMIZERS
from tuner.planning import TrainingPlan, plan_training
from tuner.planning.losses import LOSSES
from tuner.planning.plan import LossPlan, ModelPlan, OptimizerPlan
from tuner.schedules import (
    SCHEDULES,
    ConstantSchedule,
    CosineSchedule,
    PiecewiseSchedule,
    PlateauSchedule,
    RestartsSchedule,
    WarmupSchedule,
)
from tuner.spaces.catalogue import CATALOGUE


@pytest.fixture(autouse=True)
def a_keras_that_has_every_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.optimizers.version", lambda package: "99")


def plan(task: str = "multiclass", **params: Any) -> TrainingPlan:
    """A plan for 64 features and 10 outputs; `__` in a keyword stands for a dot."""
    named = {name.replace("__", "."): value for name, value in params.items()}
    return plan_training(named, features=64, outputs=10, task=task)  # type: ignore[arg-type]


def test_no_parameters_make_the_catalogues_defaults() -> None:
    assert plan() == TrainingPlan(
        model=ModelPlan(features=64, outputs=10, units=(64, 64)),
        optimizer=OptimizerPlan(
            "adam",
            (("amsgrad", False), ("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-7)),
        ),
        schedule=ConstantSchedule(0.001),
        loss=LossPlan("sparse_categorical_crossentropy"),
        batch_size=32,
        epochs=20,
    )


PIECEWISE = {"schedule": "piecewise", "schedule.boundaries": [1], "schedule.factors": [0.1]}
FTRL = {"optimizer": "ftrl"}
PLATEAU = {"schedule": "plateau"}
ADAFACTOR = {"optimizer": "adafactor"}
MUON = {"optimizer": "muon"}
PLR = {"embedding": "plr"}
#: Parameter -> what must be set beside it, and a value that is not its default.
CHANGES: dict[str, tuple[dict[str, Any], Any]] = {
    "optimizer": ({}, "sgd"),
    "optimizer.learning_rate": ({}, 0.1),
    "optimizer.momentum": ({"optimizer": "sgd"}, 0.5),
    "optimizer.nesterov": ({"optimizer": "sgd"}, True),
    "optimizer.rho": ({"optimizer": "rmsprop"}, 0.5),
    "optimizer.beta_1": ({}, 0.5),
    "optimizer.beta_2": ({}, 0.5),
    "optimizer.epsilon": ({}, 0.5),
    "optimizer.amsgrad": ({}, True),
    "optimizer.centered": ({"optimizer": "rmsprop"}, True),
    "optimizer.initial_accumulator_value": ({"optimizer": "adagrad"}, 0.5),
    "optimizer.learning_rate_power": (FTRL, -0.25),
    "optimizer.l1_regularization_strength": (FTRL, 0.5),
    "optimizer.l2_regularization_strength": (FTRL, 0.5),
    "optimizer.l2_shrinkage_regularization_strength": (FTRL, 0.5),
    "optimizer.beta": (FTRL, 0.5),
    "optimizer.beta_2_decay": (ADAFACTOR, -0.5),
    "optimizer.epsilon_1": (ADAFACTOR, 0.5),
    "optimizer.epsilon_2": (ADAFACTOR, 0.5),
    "optimizer.clip_threshold": (ADAFACTOR, 0.5),
    "optimizer.adam_beta_1": (MUON, 0.5),
    "optimizer.adam_beta_2": (MUON, 0.5),
    "optimizer.adam_weight_decay": (MUON, 0.5),
    "optimizer.adam_lr_ratio": (MUON, 0.5),
    "optimizer.ns_steps": (MUON, 3),
    "optimizer.muon_a": (MUON, 0.5),
    "optimizer.muon_b": (MUON, 0.5),
    "optimizer.muon_c": (MUON, 0.5),
    "optimizer.rms_rate": (MUON, 0.5),
    "optimizer.weight_decay": ({}, 0.5),
    "optimizer.weight_decay_schedule": ({"optimizer.weight_decay": 0.5}, "cosine"),
    "optimizer.clipnorm": ({}, 0.5),
    "optimizer.clipvalue": ({}, 0.5),
    "optimizer.global_clipnorm": ({}, 0.5),
    "schedule": ({}, "cosine"),
    "schedule.per": ({"schedule": "time"}, "epoch"),
    "schedule.decay": ({"schedule": "time"}, 0.5),
    "schedule.drop": ({"schedule": "step"}, 0.25),
    "schedule.every": ({"schedule": "step"}, 3),
    "schedule.boundaries": (PIECEWISE, [2]),
    "schedule.factors": (PIECEWISE, [0.2]),
    "schedule.power": ({"schedule": "polynomial"}, 2.0),
    "schedule.end_rate": ({"schedule": "cosine"}, 0.5),
    "schedule.restart_every": ({"schedule": "restarts"}, 3),
    "schedule.restarts": ({"schedule": "restarts"}, 1),
    "schedule.cycle_mult": ({"schedule": "cosine_restarts"}, 2.0),
    "schedule.peak": ({"schedule": "one_cycle"}, 0.5),
    "schedule.warmup": ({}, 1),
    "schedule.factor": (PLATEAU, 0.5),
    "schedule.patience": (PLATEAU, 3),
    "schedule.min_delta": (PLATEAU, 0.5),
    "schedule.min_rate": (PLATEAU, 0.5),
    "schedule.cooldown": (PLATEAU, 3),
    "initializer": ({}, "he_normal"),
    "batch_size": ({}, 7),
    "epochs": ({}, 7),
    "model.layers": ({}, 7),
    "model.units": ({}, 7),
    "model.activation": ({}, "tanh"),
    "model.dropout": ({}, 0.5),
    "model.dropout_schedule": ({"model.dropout": 0.5}, "cosine"),
    "model.batch_norm": ({}, True),
    "model.skip_connections": ({}, True),
    "model.parametrization": ({}, "ntk"),
    "model.bias_initializer": ({}, "he+5"),
    "model.front_scale": ({}, True),
    "model.parametric_activation": ({}, True),
    "learning_rate_factor.bias": ({}, 0.5),
    "learning_rate_factor.first_layer": ({}, 0.5),
    "learning_rate_factor.front_scale": ({"model.front_scale": True}, 0.5),
    "learning_rate_factor.activation": ({"model.parametric_activation": True}, 0.5),
    "learning_rate_factor.embedding": ({"embedding": "pbld"}, 0.5),
    "weight_decay_factor.bias": ({"optimizer.weight_decay": 0.1}, 0.0),
    "model.l1": ({}, 0.5),
    "model.l2": ({}, 0.5),
    "embedding": ({}, "pbld"),
    "embedding.sigma": (PLR, 0.5),
    "embedding.frequencies": (PLR, 7),
    "embedding.units": (PLR, 7),
    "loss": ({}, "huber"),
    "loss.label_smoothing": ({}, 0.5),
    "loss.label_smoothing_schedule": ({"loss.label_smoothing": 0.5}, "cosine"),
    "loss.class_weight": ({}, "balanced"),
    "loss.delta": ({"loss": "huber"}, 0.5),
    "weight_averaging": ({}, "swa"),
    "weight_averaging.ema_momentum": ({"weight_averaging": "ema"}, 0.5),
    "weight_averaging.ema_overwrite_frequency": ({"weight_averaging": "ema"}, 3),
    "weight_averaging.swa_start": ({"weight_averaging": "swa"}, 0.5),
    "early_stopping.patience": ({}, 7),
    "early_stopping.min_delta": ({}, 0.5),
    "early_stopping.restore_best_weights": ({}, True),
}


#: Not settings of Keras's optimizers.
OF_ALL = ("optimizer.learning_rate", "optimizer.weight_decay_schedule")


def test_every_parameter_of_the_catalogue_reaches_the_plan() -> None:
    assert set(CHANGES) == set(CATALOGUE)
    for name, (beside, value) in CHANGES.items():
        before, after = plan(**beside), plan(**{**beside, name: value})
        assert after != before, name
        # In the field of its own name, if there is one, and as it was given.
        part, _, setting = name.partition(".")
        if part == "optimizer" and setting and name not in OF_ALL:
            assert after.optimizer.setting(setting) == value
        if part.endswith("_factor"):
            assert after.optimizer.factors == ((name, value),)
            # One that nothing is multiplied by changes nothing.
            assert not beside or plan(**{name: value}) == plan()
        if part == "schedule" and setting not in ("", "warmup", "boundaries", "factors"):
            assert getattr(after.schedule, setting) == value


def test_equal_params_in_any_order_and_number_type_make_equal_plans() -> None:
    one: dict[str, Any] = {
        "optimizer": "sgd",
        "optimizer.learning_rate": 1,
        "model.l2": 0,
        "epochs": 3.0,
    }
    two: dict[str, Any] = {
        "epochs": 3,
        "model.l2": 0.0,
        "optimizer.learning_rate": 1.0,
        "optimizer": "sgd",
    }
    plans = [plan_training(p, features=4, outputs=1, task="binary") for p in (one, two)]
    assert plans[0] == plans[1]
    assert repr(plans[0]) == repr(plans[1])
    assert len({*plans}) == 1


def test_none_is_the_default() -> None:
    assert plan(**dict.fromkeys(CATALOGUE)) == plan()


@pytest.mark.parametrize(
    ("alias", "name"),
    [("uniform", "random_uniform"), ("normal", "random_normal"), ("zero", "zeros")],
)
def test_the_guides_initializers_have_kerass_names(alias: str, name: str) -> None:
    assert plan(initializer=alias).model.initializer == name


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("mse", "mean_squared_error"),
        ("euclidean", "mean_squared_error"),
        ("mae", "mean_absolute_error"),
        ("manhattan", "mean_absolute_error"),
        ("huber", "huber"),
    ],
)
@pytest.mark.parametrize("task", LOSSES)
def test_distances_fit_every_task(task: str, alias: str, name: str) -> None:
    assert plan(task, loss=alias).loss == LossPlan(name)


@pytest.mark.parametrize(
    ("task", "loss"),
    [
        ("binary", "binary_crossentropy"),
        ("multiclass", "sparse_categorical_crossentropy"),
        ("multilabel", "binary_crossentropy"),
        ("regression", "mean_squared_error"),
    ],
)
def test_auto_is_the_tasks_own_loss(task: str, loss: str) -> None:
    assert plan(task).loss == plan(task, loss="auto").loss == LossPlan(loss)


def test_a_smoothed_sparse_loss_is_the_categorical_one() -> None:
    smoothed = LossPlan("categorical_crossentropy", label_smoothing=0.1)
    assert plan(loss__label_smoothing=0.1).loss == smoothed
    assert plan(loss="categorical_crossentropy", loss__label_smoothing=0.1).loss == smoothed
    binary = plan("binary", loss__label_smoothing=0.1).loss
    assert binary == LossPlan("binary_crossentropy", label_smoothing=0.1)
    assert plan(loss="mse", loss__label_smoothing=0.0).loss == LossPlan("mean_squared_error")


def test_hubers_delta() -> None:
    assert plan("regression", loss="huber", loss__delta=2).loss == LossPlan("huber", delta=2.0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_hold_all_their_settings_sorted(name: str) -> None:
    settings = dict(plan(optimizer=name).optimizer.settings)
    assert settings == OPTIMIZERS[name].defaults()
    assert list(settings) == sorted(settings)
    assert ("weight_decay" in settings) == (name in ("adamw", "muon"))


def test_optimizer_settings_are_taken() -> None:
    made = plan(optimizer="sgd", optimizer__momentum=1, optimizer__clipnorm=2).optimizer
    assert made.settings == (("clipnorm", 2.0), ("momentum", 1.0), ("nesterov", False))
    assert plan(optimizer="adamw", optimizer__weight_decay=0).optimizer.setting("weight_decay") == 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_setting_another_optimizer_has_is_refused(name: str) -> None:
    every = [n.removeprefix("optimizer.") for n in CATALOGUE if n.startswith("optimizer.")]
    for setting in every:
        if f"optimizer.{setting}" in OF_ALL or setting in OPTIMIZERS[name].settings():
            continue
        with pytest.raises(PlanError, match=f"optimizer '{name}' has no setting '{setting}'") as e:
            plan(optimizer=name, **{f"optimizer.{setting}": 0.5})  # type: ignore[arg-type]
        assert all(available in str(e.value) for available in OPTIMIZERS[name].settings())


def test_the_catalogue_ties_settings_to_the_optimizers_that_have_them() -> None:
    for name, info in CATALOGUE.items():
        if name.startswith("optimizer.") and name not in OF_ALL:
            setting = name.removeprefix("optimizer.")
            having = {kind for kind in OPTIMIZERS if setting in OPTIMIZERS[kind].settings()}
            tied = set(info.only_with.get("optimizer", OPTIMIZERS))
            assert tied == having, name
    assert set(OPTIMIZERS) == set(CATALOGUE["optimizer"].choices)


def test_the_catalogue_ties_settings_to_the_schedules_that_have_them() -> None:
    for name, info in CATALOGUE.items():
        if name.startswith("schedule.") and name != "schedule.warmup":
            setting = name.removeprefix("schedule.")
            having = {kind for kind, made in SCHEDULES.items() if setting in made.settings()}
            assert set(info.only_with.get("schedule", SCHEDULES)) == having, name


@pytest.mark.parametrize("first", CLIPPING)
@pytest.mark.parametrize("second", CLIPPING)
def test_gradients_are_clipped_in_one_way_only(first: str, second: str) -> None:
    params: dict[str, Any] = {f"optimizer.{first}": 1.0, f"optimizer.{second}": 1.0}
    if first == second:
        assert plan(**params).optimizer.setting(first) == 1.0
    else:
        with pytest.raises(PlanError, match="one way only"):
            plan(**params)


def test_schedules_get_their_settings() -> None:
    made = plan(
        optimizer__learning_rate=0.1,
        schedule="restarts",
        schedule__restart_every=4,
        schedule__restarts=2,
        schedule__decay=0.5,
        schedule__per="epoch",
    )
    assert made.schedule == RestartsSchedule(0.1, 4, 2, decay=0.5, per="epoch")


def test_lists_make_hashable_plans() -> None:
    made = plan(schedule="piecewise", schedule__boundaries=[3, 6], schedule__factors=[0.5, 0.1])
    assert made.schedule == PiecewiseSchedule(0.001, (3.0, 6.0), (0.5, 0.1))
    assert isinstance(hash(made), int)


def test_warmup_stands_in_front_of_any_schedule() -> None:
    cosine = plan(schedule="cosine", schedule__warmup=2).schedule
    assert cosine == WarmupSchedule(0.001, CosineSchedule(0.001), 2)
    plateau = plan(schedule="plateau", schedule__warmup=2).schedule
    assert plateau == WarmupSchedule(0.001, PlateauSchedule(0.001), 2)
    assert plan(schedule="cosine", schedule__warmup=0).schedule == CosineSchedule(0.001)


@pytest.mark.parametrize(
    ("units", "layers", "widths"),
    [
        (16, 3, (16, 16, 16)),
        (16, 0, ()),
        ("64-32", None, (64, 32)),
        ("64 - 32 - 8", None, (64, 32, 8)),
        ("100", None, (100,)),
        (None, 1, (64,)),
    ],
)
def test_units_are_one_width_or_each_layers(
    units: int | str, layers: int | None, widths: tuple[int, ...]
) -> None:
    assert plan(model__units=units, model__layers=layers).model.units == widths


def test_patience_0_stops_as_1_does() -> None:
    assert plan(early_stopping__patience=0).patience == 1
    assert plan(early_stopping__patience=4).patience == 4
    assert plan().patience is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"optimzer": "sgd"}, "unknown parameter 'optimzer'; did you mean optimizer"),
        ({"optimizer": "sdg"}, "unknown optimizer 'sdg'; did you mean sgd\\? Available: sgd, rms"),
        ({"optimizer": 3}, "unknown optimizer '3'"),
        ({"schedule": "cosin"}, "unknown schedule 'cosin'; did you mean cosine"),
        ({"initializer": "lecun"}, "unknown initializer 'lecun'.*Available: .*lecun_uniform"),
        ({"model.activation": "rel"}, "unknown model.activation 'rel'; did you mean relu"),
        ({"loss": "mze"}, "unknown loss 'mze'.*Available: .*mse"),
        ({"optimizer.learning_rate": 0}, "learning_rate must be a number above 0; got 0"),
        ({"optimizer.learning_rate": -0.1}, "learning_rate must be a number above 0; got -0.1"),
        ({"optimizer.learning_rate": "0.1"}, "learning_rate must be a number above 0; got '0.1'"),
        ({"optimizer.beta_1": 1.0}, "beta_1 must be a number at least 0, below 1; got 1.0"),
        ({"optimizer.epsilon": 0.0}, "epsilon must be a number above 0"),
        ({"optimizer.amsgrad": 1}, "amsgrad must be true or false; got 1"),
        ({"optimizer.clipnorm": 0}, "clipnorm must be a number above 0; got 0"),
        ({"schedule.decay": 0.1}, "'constant' has no setting 'decay'; got schedule.decay: 0.1"),
        ({"schedule": "cosine", "schedule.per": "epoch"}, "Available: end_rate, warmup"),
        ({"schedule": "piecewise"}, "piecewise needs schedule.boundaries"),
        (
            {"schedule.warmup": -1},
            "schedule.warmup must be a whole number at least 0, at most 100000; got -1",
        ),
        (
            {"batch_size": 0},
            "batch_size must be a whole number at least 1, at most 1000000000; got 0",
        ),
        (
            {"batch_size": 31.5},
            "batch_size must be a whole number at least 1, at most 1000000000; got 31.5",
        ),
        (
            {"batch_size": True},
            "batch_size must be a whole number at least 1, at most 1000000000; got True",
        ),
        ({"epochs": 0}, "epochs must be a whole number at least 1, at most 100000; got 0"),
        ({"epochs": "ten"}, "epochs must be a whole number at least 1, at most 100000; got 'ten'"),
        (
            {"model.units": 0},
            "model.units must be a whole number at least 1, at most 100000; got 0",
        ),
        ({"model.units": "64-x"}, "joined by '-'.*got '64-x'"),
        ({"model.units": "64-0"}, "joined by '-'.*got '64-0'"),
        ({"model.units": ""}, "joined by '-'.*got ''"),
        ({"model.units": "64-32", "model.layers": 2}, "model.layers must be left out"),
        (
            {"model.layers": -1},
            "model.layers must be a whole number at least 0, at most 100; got -1",
        ),
        ({"model.dropout": 1.0}, "model.dropout must be a number at least 0, below 1; got 1.0"),
        ({"model.batch_norm": "yes"}, "model.batch_norm must be true or false; got 'yes'"),
        ({"embedding": "prl"}, "unknown embedding 'prl'; did you mean plr"),
        ({"embedding.sigma": 0.1}, "'none' has no setting 'sigma'; got .* Available: none. In a"),
        ({"embedding": "plr", "embedding.sigma": 0}, "embedding.sigma must be a number above 0"),
        ({"embedding": "pbld", "embedding.units": 1}, "embedding.units must be .* at least 2"),
        ({"embedding": "plr", "embedding.frequencies": 9000, "model.units": 90000}, "may have at"),
        ({"model.l2": -1e-4}, "model.l2 must be a number at least 0"),
        ({"loss.label_smoothing": 1.0}, "loss.label_smoothing must be a number at least 0, below"),
        ({"loss.label_smoothing": 0.1, "loss": "mse"}, "for cross-entropies; got 0.1 with the"),
        ({"loss.class_weight": "balancd"}, "loss.class_weight 'balancd'; did you mean balanced"),
        ({"loss.delta": 1.0}, "loss.delta is for the loss huber; got 1.0"),
        ({"early_stopping.patience": -1}, "patience must be a whole number at least 0"),
        ({"early_stopping.min_delta": float("inf")}, "min_delta must be a number at least 0"),
    ],
)
def test_bad_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message) as refused:
        plan(**params)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("task", LOSSES)
def test_losses_of_other_tasks_are_refused_with_those_that_fit(task: str) -> None:
    for loss in CATALOGUE["loss"].choices:
        if loss == "auto" or loss in LOSSES[task]:  # type: ignore[index]
            assert plan(task, loss=loss).loss.name
            continue
        with pytest.raises(
            PlanError, match=f"must fit the task, which is {task}; got '{loss}'"
        ) as e:
            plan(task, loss=loss)
        assert all(fitting in str(e.value) for fitting in LOSSES[task])  # type: ignore[index]


def test_smoothing_a_regression_says_that_nothing_is_available() -> None:
    with pytest.raises(PlanError, match="Available for a regression task: none"):
        plan("regression", loss__label_smoothing=0.1)


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_class_weights_need_rows_of_one_class_each(task: str) -> None:
    assert plan(task, loss__class_weight="none").loss.class_weight == "none"
    with pytest.raises(PlanError, match=rf"got 'balanced' for a {task} task. Available: none"):
        plan(task, loss__class_weight="balanced")


def test_hamming_is_a_metric_only() -> None:
    with pytest.raises(
        PlanError, match=r"has none: it is a metric only \(metric hamming\); got loss: 'hamming'"
    ):
        plan(loss="hamming")


def test_an_unknown_task_and_empty_data_are_refused() -> None:
    with pytest.raises(PlanError, match="unknown task 'multiklass'; did you mean multiclass"):
        plan("multiklass")
    with pytest.raises(PlanError, match="at least 1 of its features; got 0"):
        plan_training({}, features=0, outputs=1, task="binary")


def test_plans_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan().epochs = 3  # type: ignore[misc]
