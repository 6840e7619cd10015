"""The exported network answers what the stack that trained it says."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from tuner.data import Dataset, Fold, fit_scaling, fit_target_scaling
from tuner.errors import TunerError
from tuner.export.sequential import build_sequential
from tuner.planning import METRICS, MetricInfo, plan_training
from tuner.training import Trainer

TRAIN, VALIDATION = np.arange(150, dtype=np.int32), np.arange(150, 200, dtype=np.int32)


def digits(task: str) -> Dataset:
    """200 digits as bytes of an image, with one of the four tasks."""
    bunch = load_digits()
    x, y = bunch.data[:200].astype(np.uint8), bunch.target[:200].astype(np.int32)
    common: dict[str, Any] = {"uri": "sklearn:digits", "hash": "0" * 16}
    image: dict[str, Any] = {"byte_scale": 1 / 16, "image_shape": (8, 8)}
    if task == "multiclass":
        return Dataset(x=x, y=y, task="multiclass", classes=tuple(range(10)), **image, **common)
    if task == "binary":
        even = (y % 2).astype(np.int32)
        return Dataset(x=x, y=even, task="binary", classes=("even", "odd"), **image, **common)
    if task == "multilabel":
        labels = np.stack([y % 2 == 0, y > 4, y % 3 == 0], axis=1).astype(np.float32)
        return Dataset(
            x=x.astype(np.float32),
            y=labels,
            task="multilabel",
            classes=("even", "large", "three"),
            **common,
        )
    numbers = load_diabetes(scaled=False)
    values = np.stack([numbers.target, 3 * numbers.target - 50], axis=1)[:200]
    return Dataset(
        x=numbers.data[:200].astype(np.float32),
        y=values.astype(np.float32),
        task="regression",
        **common,
    )


METRIC = {
    "multiclass": "log_loss",
    "binary": "log_loss",
    "multilabel": "roc_auc",
    "regression": "rmse",
}


@pytest.mark.parametrize(
    ("task", "scaling", "params"),
    [
        pytest.param(
            "multiclass",
            "auto",
            {"model.units": "24-12", "model.activation": "tanh"},
            marks=pytest.mark.slow,
        ),
        (
            "multiclass",
            "standard",
            {"model.units": "24", "model.batch_norm": True, "model.dropout": 0.2},
        ),
        pytest.param(
            "binary",
            "minmax",
            {"model.units": "16", "model.l2": 1e-3},
            marks=pytest.mark.slow,
        ),
        pytest.param("multilabel", "robust", {"model.layers": 0}, marks=pytest.mark.slow),
        ("regression", "auto", {"model.units": "16-8", "loss": "huber"}),
        (
            "regression",
            "robust",
            {"model.units": "8-8", "model.skip_connections": True, "embedding": "pbld"},
        ),
    ],
)
def test_answers_are_those_of_the_stack(task, scaling, params, monkeypatch, tmp_path):
    said: list[np.ndarray] = []
    compute = MetricInfo.compute

    def listen(self: MetricInfo, y_true: Any, y_pred: Any) -> float:
        said.append(np.array(y_pred))
        return compute(self, y_true, y_pred)

    monkeypatch.setattr(MetricInfo, "compute", listen)
    data, metric = digits(task), METRIC[task]
    plan = plan_training(
        {"epochs": 3, "batch_size": 20, "optimizer.learning_rate": 0.01, **params},
        features=data.features,
        outputs=data.outputs,
        task=data.task,
    )
    fold = Fold(TRAIN, VALIDATION)
    trainer = Trainer(data, [fold], scaling=scaling, metrics=(metric,), objective=metric)
    [scores] = trainer.train([plan], [[7]], weights=True)
    stacks = said[-1].reshape(50, -1)
    fitted = fit_scaling(data, TRAIN, scaling)

    model = build_sequential(
        plan.model,
        scores.weights[0],
        task=data.task,
        byte_scale=data.byte_scale,
        scaling=fitted,
        target_scaling=fit_target_scaling(data, TRAIN) if task == "regression" else None,
    )

    raw = data.x[VALIDATION]
    answers = model.predict(raw, verbose=0)
    size = np.abs(stacks).max()
    np.testing.assert_allclose(answers, stacks, rtol=0, atol=1e-5 * max(1.0, size))
    assert scores.validation[metric][-1, 0] == pytest.approx(
        compute(METRICS[metric], data.y[VALIDATION], answers), rel=1e-4
    )
    # Saved and read back by Keras, in both forms, it is the same network.
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "weights.weights.h5")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    rebuilt = keras.models.model_from_json(model.to_json())
    rebuilt.load_weights(tmp_path / "weights.weights.h5")
    for other in (loaded, rebuilt):
        # Nothing of it is ours.
        assert type(other).__module__.startswith("keras.")
        assert {type(layer).__module__.partition(".")[0] for layer in other.layers} == {"keras"}
        np.testing.assert_array_equal(other.predict(raw, verbose=0), answers)


def test_layers_in_the_order_that_training_has(tmp_path):
    plan = plan_training(
        {"model.units": "4-3", "model.batch_norm": True, "model.dropout": 0.5, "model.l1": 1e-3},
        features=2,
        outputs=1,
        task="regression",
    ).model
    shapes = [(2, 4), (4,), (4,), (4,), (4,), (4,), (4, 3), (3,), (3,), (3,), (3,), (3,)]
    weights = [np.ones(s, np.float32) for s in [*shapes, (3, 1), (1,)]]
    one = np.ones(1, np.float32)
    model = build_sequential(plan, weights, task="regression", target_scaling=(one, one))
    kinds = [type(layer).__name__ for layer in model.layers]
    hidden = ["Dense", "BatchNormalization", "Activation", "Dropout"]
    assert kinds == [*hidden, *hidden, "Dense", "Rescaling"]
    assert model.get_layer("hidden_1").kernel_regularizer.l1 == pytest.approx(1e-3)


def test_weights_that_do_not_fit_are_refused():
    plan = plan_training({"model.layers": 0}, features=2, outputs=1, task="binary").model
    with pytest.raises(TunerError, match=r"\[\(2, 1\), \(1,\)\].*received \[\(2, 2\), \(2,\)\]"):
        build_sequential(plan, [np.ones((2, 2), np.float32), np.ones(2, np.float32)], task="binary")
