"""Fold networks as one model: the mean of what they answer one by one, in plain Keras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tuner.data import fit_scaling, make_folds
from tuner.errors import UsageError
from tuner.export import Wanted, load_export, refit_trial, train_wanted, write_export
from tuner.export.model import rows_for
from tuner.export.scores import predict
from tuner.planning import network_seed, plan_training
from tuner.training import Trainer

PARAMS: dict[str, Any] = {"model.units": "8", "epochs": 3, "optimizer.learning_rate": 0.02}


def hand_made(made: Any) -> list[Any]:
    """The weights, training rows and validation scores of the study's fold networks, by the
    trainer alone."""
    data, definition = made.dataset, made.definition
    folds = make_folds(data, definition.folds)
    plan = plan_training(
        definition.space.complete(made.study.trials[0].params),
        features=data.features, outputs=data.outputs, task=data.task,
    )  # fmt: skip
    trainer = Trainer(
        data, folds, scaling=definition.data.scaling, metrics=(), objective=definition.metric
    )
    seeds = [network_seed(definition.seed, 0, fold) for fold in range(len(folds))]
    [scores] = trainer.train([plan], [seeds], weights=True)
    return list(zip(scores.weights, folds, scores.fold_scores(definition.metric), strict=True))


def dense(weights: list[np.ndarray], x: Any) -> Any:
    """A ReLU network's last sums."""
    kernel, bias, out, last = weights
    return np.maximum(x @ kernel + bias, 0) @ out + last


def exported(made: Any, out: Path, metrics: tuple[str, ...]) -> dict[str, Any]:
    found = train_wanted(made.study, made.definition, Wanted(ensemble="folds"))
    write_export(found, out, study="small", metrics=metrics)
    settings: dict[str, Any] = json.loads((out / "settings.json").read_text())
    return settings


@pytest.mark.slow
def test_the_ensemble_of_digits_is_the_mean_of_its_networks_probabilities(train_study, tmp_path):
    made = train_study(PARAMS)
    data = made.dataset
    settings = exported(made, tmp_path / "out", ("accuracy", "log_loss"))
    x = data.x_test.astype(np.float32)
    said = [np.asarray(tf.nn.softmax(dense(own, x / 16))) for own, _, _ in hand_made(made)]
    assert np.abs(said[0] - said[1]).max() > 0.01
    model = keras.saving.load_model(tmp_path / "out" / "model.keras")
    np.testing.assert_allclose(model.predict(x, verbose=0), np.mean(said, axis=0), atol=1e-5)
    rebuilt = keras.models.model_from_json((tmp_path / "out" / "architecture.json").read_text())
    rebuilt.load_weights(tmp_path / "out" / "weights.weights.h5")
    np.testing.assert_allclose(rebuilt.predict(x, verbose=0), np.mean(said, axis=0), atol=1e-5)
    # The scores are those of the search, to the last bit, and the test rows'.
    assert settings["cross_validation"] == {
        "accuracy": made.scores.fold_scores("accuracy").tolist()
    }
    right = np.mean(np.mean(said, axis=0).argmax(axis=1) == data.y_test)
    assert settings["test"]["accuracy"] == pytest.approx(right)
    [member] = settings["ensemble"]["members"]
    assert (member["trial"], member["weight"], member["epochs"]) == (0, 1.0, [3, 3])
    write_export(
        refit_trial(made.study, made.study.trials[0], data), tmp_path / "one",
        study="small", metrics=("accuracy", "log_loss"),
    )  # fmt: skip
    alone = json.loads((tmp_path / "one" / "settings.json").read_text())["test"]
    assert settings["ensemble"]["single"]["test"] == alone
    card = (tmp_path / "out" / "MODEL.md").read_text()
    assert "the 2 fold networks of trial 0" in card
    assert "test rows | trial 0 refitted, test rows |" in card
    assert f"| {right:.4f} | {alone['accuracy']:.4f} |" in card
    # And tuner reads it back.
    read = load_export(tmp_path / "out")
    np.testing.assert_allclose(
        predict(read.keras_model, rows_for(read, "sklearn:digits").x).sum(axis=1), 1, atol=1e-5
    )


def test_the_ensemble_of_a_regression_is_the_mean_of_values_in_their_unit(train_study, tmp_path):
    made = train_study(PARAMS, data={"uri": "sklearn:diabetes", "target_scale": "log"})
    data = made.dataset
    settings = exported(made, tmp_path / "out", ("r2",))
    assert (settings["test"], settings["ensemble"]["single"]["test"]) == (None, None)
    said = []
    for weights, fold, _ in hand_made(made):
        rows, targets = data.x[fold.train], np.log1p(data.y[fold.train])
        answer = dense(weights, (data.x - rows.mean(axis=0)) / rows.std(axis=0))
        said.append(np.expm1(answer * targets.std(axis=0) + targets.mean(axis=0)))
    model = keras.saving.load_model(tmp_path / "out" / "model.keras")
    expected = np.mean(said, axis=0)
    np.testing.assert_allclose(model.predict(data.x, verbose=0), expected, rtol=1e-5)
    assert np.ptp(expected) > 10


def test_the_ensemble_of_a_table_takes_its_columns_each_network_at_its_own_scale(
    train_study, tmp_path
):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "heavy": rng.standard_cauchy(120),
            "city": rng.choice(["Bern", "Chur", "Genf", "Sion"], 120, p=[0.5, 0.4, 0.07, 0.03]),
            "size": rng.integers(0, 9, 120),
        }
    )
    table.loc[rng.random(120) < 0.2, "heavy"] = None
    table = table.assign(target=np.where(table["size"] > 3, "u", "v"))
    table.to_csv(tmp_path / "own.csv", index=False)
    made = train_study(PARAMS, data={"uri": f"csv:{tmp_path / 'own.csv'}", "target": "target"})
    data = made.dataset
    exported(made, tmp_path / "out", ("accuracy",))
    assert not (tmp_path / "out" / "network.keras").exists()
    said = []
    for weights, fold, _ in hand_made(made):
        scaling = fit_scaling(data, fold.train, made.definition.data.scaling)
        assert scaling.rare.any()
        logits = dense(weights, data.encoding.inputs(data.x, scaling))
        said.append(np.asarray(tf.sigmoid(logits)))
    assert np.abs(said[0] - said[1]).max() > 0.01
    read = load_export(tmp_path / "out")
    answers = predict(read.keras_model, rows_for(read, data.uri).x)
    np.testing.assert_allclose(answers, np.mean(said, axis=0), atol=1e-5)


def test_one_fold_is_no_ensemble(train_study):
    made = train_study(PARAMS | {"epochs": 1})
    one = made.definition.override({"folds.kind": "holdout"})
    with pytest.raises(UsageError, match="at least two; the folds of the study are holdout: 1"):
        train_wanted(made.study, one, Wanted(ensemble="folds"))
