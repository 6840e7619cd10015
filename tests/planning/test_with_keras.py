"""Planning against Keras itself: schedules, the plateau, defaults, names and counts.

The only file here that imports Keras, so that the others stay fast.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tuner.data.dataset import Fold
from tuner.optimizers import OPTIMIZERS, Optimizer
from tuner.planning import estimate, plan_training
from tuner.planning.cost import backward_multiply_adds, count_parameters, forward_multiply_adds
from tuner.schedules import (
    CosineRestartsSchedule,
    CosineSchedule,
    CosLog4Schedule,
    ExponentialSchedule,
    FlatCosineSchedule,
    OneCycleSchedule,
    PiecewiseSchedule,
    PlateauSchedule,
    PolynomialSchedule,
    Schedule,
    StepSchedule,
    TimeSchedule,
    WarmupSchedule,
)
from tuner.spaces.catalogue import CATALOGUE

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

#: Those that the installed Keras has.
INSTALLED = [name for name, kind in OPTIMIZERS.items() if not kind.lacking()]


class Later:
    """A module that is imported when it is first used, not when tests are collected."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        return getattr(import_module(self._name), name)


keras, tf = Later("keras"), Later("tensorflow")
decays = Later("keras.optimizers.schedules")

STEPS, EPOCHS = 7, 12
TOTAL = STEPS * EPOCHS
KERAS_NAMES = {"sgd": "SGD", "rmsprop": "RMSprop", "adamw": "AdamW"}


def keras_optimizer(name: str) -> Any:
    return getattr(keras.optimizers, KERAS_NAMES.get(name, name.capitalize()))


def keras_rates(schedule: Any, steps: int = TOTAL) -> np.ndarray:
    return np.array([float(schedule(step)) for step in range(steps)], np.float32)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TimeSchedule(0.1, decay=0.03), lambda: decays.InverseTimeDecay(0.1, 1, 0.03)),
        (
            TimeSchedule(0.1, decay=0.4, per="epoch"),
            lambda: decays.InverseTimeDecay(0.1, STEPS, 0.4, staircase=True),
        ),
        (
            ExponentialSchedule(0.1, decay=0.02),
            lambda: decays.ExponentialDecay(0.1, 50, float(np.exp(-0.02 * 50))),
        ),
        (
            ExponentialSchedule(0.1, decay=0.5, per="epoch"),
            lambda: decays.ExponentialDecay(0.1, STEPS, float(np.exp(-0.5)), staircase=True),
        ),
        (
            StepSchedule(0.1, drop=0.3, every=4),
            lambda: decays.ExponentialDecay(0.1, 4 * STEPS, 0.3, staircase=True),
        ),
        (
            PiecewiseSchedule(0.1, (2, 5), (0.5, 0.05)),
            lambda: decays.PiecewiseConstantDecay(
                [2 * STEPS - 1, 5 * STEPS - 1], [0.1, 0.05, 0.005]
            ),
        ),
        (
            PolynomialSchedule(0.1, power=1.7, end_rate=0.02),
            lambda: decays.PolynomialDecay(0.1, TOTAL, 0.002, power=1.7),
        ),
        (CosineSchedule(0.1, end_rate=0.05), lambda: decays.CosineDecay(0.1, TOTAL, alpha=0.05)),
        (
            CosineRestartsSchedule(0.1, restart_every=4, end_rate=0.05),
            lambda: decays.CosineDecayRestarts(0.1, 4 * STEPS, t_mul=1.0, alpha=0.05),
        ),
        (
            WarmupSchedule(0.1, CosineSchedule(0.1), warmup=3),
            lambda: decays.CosineDecay(
                0.1 / (3 * STEPS + 1), 9 * STEPS, warmup_target=0.1, warmup_steps=3 * STEPS
            ),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Schedule) else "",
)
def test_rates_are_those_of_kerass_schedules(ours: Schedule, theirs: Callable[[], Any]) -> None:
    expected = keras_rates(theirs())
    # Keras computes in float32 throughout; ours are rounded once.
    np.testing.assert_allclose(ours.rates(STEPS, EPOCHS), expected, rtol=3e-6, atol=2e-8)
    assert len(np.unique(expected)) > 2


@pytest.mark.slow
@pytest.mark.parametrize("growth", [1.5, 2.0])
def test_growing_cosine_cycles_are_kerass(growth: float) -> None:
    ours = CosineRestartsSchedule(0.1, restart_every=2, cycle_mult=growth, end_rate=0.1)
    table = ours.rates(10, 20)
    theirs = keras_rates(decays.CosineDecayRestarts(0.1, 20, t_mul=growth, alpha=0.1), 200)
    # Keras finds the cycle by a float32 logarithm, which may miss the very step of a restart.
    restarts = np.flatnonzero(np.diff(table, prepend=1) > 0.05 * 0.1)
    assert len(restarts) >= 2
    others = np.setdiff1d(np.arange(200), restarts)
    np.testing.assert_allclose(table[others], theirs[others], rtol=2e-5, atol=2e-8)


def test_one_cycle_is_two_of_kerass_cosines() -> None:
    peak, end, total = 0.25, 0.02, 80
    table = OneCycleSchedule(0.1, peak=peak, end_rate=end).rates(8, 10)
    top = int(peak * total)
    fall = keras_rates(decays.CosineDecay(0.1, total - top, alpha=end), total - top)
    np.testing.assert_allclose(table[top:], fall, rtol=3e-6)
    # The rise is a fall from the peak to 1/25 of it, read backwards.
    rise = keras_rates(decays.CosineDecay(0.1, top, alpha=1 / 25), top + 1)[::-1]
    np.testing.assert_allclose(table[: top + 1], rise, rtol=3e-6)


def test_the_schedules_of_realmlp_are_their_formulas_in_keras() -> None:
    """As a `LearningRateSchedule`, which Keras's optimizers ask in every step."""

    def coslog4(t: Any) -> Any:
        log2 = keras.ops.log(1.0 + 15.0 * t) / np.log(2.0)
        return 0.05 * (1.0 - keras.ops.cos(2.0 * np.pi * log2))

    def flat_cosine(t: Any) -> Any:
        return 0.05 * (1.0 + keras.ops.cos(np.pi * (keras.ops.maximum(1.0, 2.0 * t) - 1.0)))

    for ours, formula in ((CosLog4Schedule, coslog4), (FlatCosineSchedule, flat_cosine)):

        class Theirs(decays.LearningRateSchedule):  # type: ignore[name-defined,misc]
            def __call__(self, step: Any, formula: Any = formula) -> Any:
                return formula(keras.ops.cast(step, "float32") / TOTAL)

        expected = keras_rates(Theirs())
        # Near a wave's end float32 cancels.
        np.testing.assert_allclose(ours(0.1).rates(STEPS, EPOCHS), expected, rtol=3e-6, atol=1e-7)


def keras_plateau(schedule: PlateauSchedule, scores: np.ndarray, mode: str) -> list[float]:
    """The rates of the real callback, driven over `scores`."""
    callback = keras.callbacks.ReduceLROnPlateau(
        monitor="val_score",
        factor=schedule.factor,
        patience=schedule.patience,
        min_delta=schedule.min_delta,
        cooldown=schedule.cooldown,
        min_lr=schedule.min_rate,
        mode=mode,
    )
    optimizer = keras.optimizers.SGD(schedule.learning_rate)
    callback._model = SimpleNamespace(optimizer=optimizer)
    callback.on_train_begin()
    rates = []
    for epoch, score in enumerate(scores):
        callback.on_epoch_end(epoch, {"val_score": float(score)})
        rates.append(float(optimizer.learning_rate))
    return rates


def plateaus() -> Iterator[tuple[PlateauSchedule, np.ndarray]]:
    rng = np.random.default_rng(0)
    for _ in range(12):
        schedule = PlateauSchedule(
            learning_rate=float(10 ** rng.uniform(-3, 0)),
            factor=float(rng.uniform(0.1, 0.9)),
            patience=int(rng.integers(0, 4)),
            min_delta=float(rng.choice([0.0, 1e-4, 0.05])),
            min_rate=float(rng.choice([0.0, 1e-3])),
            cooldown=int(rng.integers(0, 3)),
        )
        scores = np.abs(1 / (1 + np.arange(40)) + rng.normal(0, 0.05, 40)).round(3)
        yield schedule, scores
        yield schedule, np.where(rng.random(40) < 0.1, np.nan, 1 - scores)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_tracker_is_kerass_reduce_lr_on_plateau_to_the_bit(mode: Any) -> None:
    reductions = 0
    for schedule, scores in plateaus():
        tracker = schedule.tracker(1, mode)
        ours = []
        for score in scores:
            tracker.update(float(score))
            ours.append(tracker.rate)
        assert ours == keras_plateau(schedule, scores, mode)
        reductions += len(set(ours)) - 1
    assert reductions > 50


@pytest.mark.parametrize("name", INSTALLED)
def test_optimizer_settings_and_defaults_are_kerass(name: str) -> None:
    kind = keras_optimizer(name)
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(kind.__init__).parameters.items()
    }
    for key, value in OPTIMIZERS[name].defaults().items():
        assert defaults[key] == value
        # Muon's adam_lr_ratio is a whole number there.
        assert type(defaults[key]) is type(value) or key == "adam_lr_ratio"
    own = set(OPTIMIZERS[name].defaults())
    # Nothing of the optimizer's own is forgotten: what is left, every optimizer has.
    general = {
        "self",
        "learning_rate",
        "kwargs",
        "name",
        "loss_scale_factor",
        *Optimizer.settings(),
    }
    general |= {"use_ema", "ema_momentum", "ema_overwrite_frequency", "gradient_accumulation_steps"}
    # With a schedule Keras does not look at `relative_step`; the others are names of layers.
    general |= {"relative_step", "exclude_layers", "exclude_embeddings"}
    assert set(defaults) - general - {"weight_decay"} == own - {"weight_decay"}
    assert (defaults["weight_decay"] is not None) == ("weight_decay" in own)


@pytest.mark.parametrize("name", INSTALLED)
def test_keras_takes_the_settings_of_a_plan(name: str) -> None:
    params: dict[str, Any] = {
        "optimizer": name,
        "optimizer.clipnorm": 1,
        "optimizer.weight_decay": 0,
    }
    plan = plan_training(params, features=3, outputs=2, task="multiclass").optimizer
    optimizer = keras_optimizer(name)(learning_rate=0.1, **dict(plan.settings))
    config = optimizer.get_config()
    assert {key: config[key] for key, _ in plan.settings} == dict(plan.settings)


@pytest.mark.parametrize("name", CATALOGUE["model.activation"].names)
def test_activations_keep_the_shape(name: str) -> None:
    plan = plan_training({"model.activation": name}, features=3, outputs=2, task="multiclass")
    activation = keras.activations.get(plan.model.activation)
    assert activation(np.ones((2, 3), np.float32)).shape == (2, 3)


#: `unit_variance` looks at training rows: no class of Keras does.
KERASS = [name for name in CATALOGUE["initializer"].names if name != "unit_variance"]


@pytest.mark.parametrize("name", KERASS)
def test_initializers_make_kernels_of_any_shape(name: str) -> None:
    plan = plan_training({"initializer": name}, features=3, outputs=2, task="multiclass")
    initializer = keras.initializers.get(plan.model.initializer)
    for shape in ((3, 5), (5, 3), (4, 4)):
        kernel = np.asarray(initializer(shape))
        assert kernel.shape == shape
        assert np.isfinite(kernel).all()
        if name == "constant":
            assert (kernel == np.asarray(keras.initializers.Constant()(shape))).all()


@pytest.mark.parametrize("loss", CATALOGUE["loss"].choices[1:])
def test_losses_are_kerass(loss: str) -> None:
    assert callable(keras.losses.get(loss))


MODELS = [
    {},
    {"model.layers": 0},
    {"model.units": "16-8-4", "model.batch_norm": True},
    {"model.layers": 3, "model.units": 12, "model.batch_norm": True, "model.dropout": 0.5},
]


def keras_model(params: dict[str, Any]) -> Any:
    """The MLP of `params` for 20 features and 3 classes, as Keras users write it."""
    plan = plan_training(params, features=20, outputs=3, task="multiclass").model
    model = keras.Sequential([keras.Input((20,))])
    for units in plan.units:
        model.add(keras.layers.Dense(units))
        if plan.batch_norm:
            model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Activation(plan.activation))
        if plan.dropout:
            model.add(keras.layers.Dropout(plan.dropout))
    model.add(keras.layers.Dense(3))
    return model


FIVE_FOLDS = [Fold(np.arange(80, dtype=np.int32), np.arange(80, 100, dtype=np.int32))] * 5


@pytest.mark.parametrize("params", MODELS, ids=str)
def test_parameters_are_as_many_as_keras_counts(params: dict[str, Any]) -> None:
    plan = plan_training(params, features=20, outputs=3, task="multiclass")
    model = keras_model(params)
    assert estimate(plan, FIVE_FOLDS).parameters == model.count_params()
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert count_parameters(plan.model, trainable_only=True) == trainable


@pytest.mark.parametrize("params", MODELS, ids=str)
def test_multiply_adds_are_those_of_the_graph(params: dict[str, Any]) -> None:
    """Of every matrix product that TensorFlow itself lays out for a row's gradient."""
    plan = plan_training(params, features=20, outputs=3, task="multiclass").model
    model = keras_model(params)

    @tf.function
    def gradients(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(model(x, training=True)))
        return tape.gradient(loss, model.trainable_weights)

    batch = 5
    graph = gradients.get_concrete_function(tf.TensorSpec((batch, 20))).graph
    products = [op for op in graph.get_operations() if op.type == "MatMul"]
    total = 0
    for op in products:
        rows, columns = op.outputs[0].shape
        inner = op.inputs[0].shape[0 if op.get_attr("transpose_a") else 1]
        total += rows * columns * inner
    assert forward_multiply_adds(plan) + backward_multiply_adds(plan) == total / batch


@pytest.mark.parametrize(
    "params",
    [
        *({"optimizer": name} for name in INSTALLED),
        {"optimizer": "sgd", "optimizer.momentum": 0.9},
        {"optimizer": "rmsprop", "optimizer.momentum": 0.9, "optimizer.centered": True},
        {"optimizer": "adam", "optimizer.amsgrad": True},
    ],
    ids=str,
)
def test_state_is_the_gradients_and_kerass_optimizer_variables(params: dict[str, Any]) -> None:
    plan = plan_training(params, features=20, outputs=3, task="multiclass")
    model = keras_model(params)
    optimizer = keras_optimizer(plan.optimizer.name)(0.1, **dict(plan.optimizer.settings))
    optimizer.build(model.trainable_variables)
    kept = sum(np.prod(v.shape) for v in optimizer.variables if len(v.shape) > 0)
    gradients = sum(np.prod(v.shape) for v in model.trainable_variables)
    if plan.optimizer.name == "adafactor":  # a stack does not keep what follows from two means
        kept -= sum(np.prod(v.shape) for v in model.trainable_variables if len(v.shape) == 2)
    # What Muon and Adafactor keep of biases or of rows alone is not counted.
    near = 0.15 if plan.optimizer.name in ("adafactor", "muon") else 0.0
    expected = pytest.approx(5 * 4 * (kept + gradients), rel=near)
    assert estimate(plan, FIVE_FOLDS).state_bytes == expected
