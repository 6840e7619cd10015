"""Curves as they are kept in a storage."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from tuner.storage import records
from tuner.training.scores import TrialScores


def scores(epochs: int, folds: int, seed: int = 0) -> TrialScores:
    rng = np.random.default_rng(seed)

    def curve() -> np.ndarray:
        return rng.random((epochs, folds))

    broken = curve()
    broken[1:, 0] = np.nan
    return TrialScores(
        train={"loss": curve(), "accuracy": curve()},
        validation={"loss": broken, "accuracy": curve(), "f1_macro": curve()},
        learning_rate=curve(),
        epoch_seconds=rng.random(epochs),
        score_epoch=np.full(folds, epochs),
        status=("diverged", *["completed"] * (folds - 1)),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("epochs", "folds"), [(1, 1), (7, 5), (40, 3), (2, 4)])
def test_curves_come_back_as_float32(epochs, folds):
    kept = scores(epochs, folds)
    read = records.decode_curves(records.encode_curves(kept))
    assert list(read.train) == ["loss", "accuracy"]
    assert list(read.validation) == ["loss", "accuracy", "f1_macro"]
    for name in kept.validation:
        np.testing.assert_array_equal(
            read.validation[name], kept.validation[name].astype(np.float32)
        )
    for name in kept.train:
        np.testing.assert_array_equal(read.train[name], kept.train[name].astype(np.float32))
    np.testing.assert_array_equal(read.learning_rate, kept.learning_rate.astype(np.float32))
    np.testing.assert_array_equal(read.epoch_seconds, kept.epoch_seconds.astype(np.float32))
    assert read.status == kept.status


def test_long_curves_are_split_where_mysql_would_cut_them_off():
    kept = scores(900, 20)
    attributes = records.curve_attributes(kept)
    assert len(attributes) > 1
    assert all(len(part) < 65_535 for part in attributes.values())
    trial = create_trial(state=TrialState.COMPLETE, value=1.0, system_attrs=attributes)
    read = records.read_curves(trial)
    assert read is not None
    np.testing.assert_array_equal(
        read.validation["accuracy"], kept.validation["accuracy"].astype(np.float32)
    )


@pytest.mark.filterwarnings("error")
def test_a_loss_that_float32_cannot_hold_is_stored_as_infinite_without_a_warning():
    kept = scores(3, 2)
    kept.train["loss"][1, 0] = 1e60
    read = records.decode_curves(records.encode_curves(kept))
    assert read.train["loss"][1, 0] == np.inf


def test_a_smooth_curve_takes_less_than_its_numbers_in_base64():
    epochs, folds = 40, 5
    rise = 1 - np.exp(-np.arange(1, epochs + 1) / 5)[:, None] * np.ones(folds)
    kept = TrialScores(
        train={"loss": 1 - rise, "accuracy": rise},
        validation={"loss": 1 - rise, "accuracy": rise},
        learning_rate=0.1 / (1 + np.arange(epochs))[:, None] * np.ones(folds),
        epoch_seconds=np.full(epochs, 0.01),
        score_epoch=np.full(folds, epochs),
        status=("completed",) * folds,  # type: ignore[arg-type]
    )
    plain = 4 * (5 * epochs * folds + epochs) * 4 / 3
    assert len(records.encode_curves(kept)) < plain / 4


def test_a_trial_without_curves_has_none():
    trial = optuna.trial.create_trial(state=TrialState.FAIL)
    assert records.read_curves(trial) is None
