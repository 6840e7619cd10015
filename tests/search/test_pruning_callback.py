"""The callback under Keras: in plain `fit`, and in the real trainer on real data."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from tests.support.studies import load, of

keras = pytest.importorskip("keras")

from tuner.search.events import TrialDone  # noqa: E402
from tuner.search.loop import run_worker  # noqa: E402
from tuner.search.prepare import prepare_study  # noqa: E402
from tuner.search.pruning_callback import PruningCallback  # noqa: E402
from tuner.spaces import Space  # noqa: E402
from tuner.storage.records import EPOCHS_RUN, FOLD_SCORES, read_curves  # noqa: E402
from tuner.study.definition import StudyDefinition  # noqa: E402


def fit(trial, epochs=4):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(32, 3))
    callback = PruningCallback(trial, "val_loss")
    history = model.fit(
        x, x.sum(1), validation_split=0.25, epochs=epochs, verbose=0, callbacks=[callback]
    )
    return callback, history.history["val_loss"]


def test_each_epoch_of_keras_fit_is_reported():
    study = optuna.create_study(pruner=optuna.pruners.NopPruner())
    trial = study.ask()
    callback, losses = fit(trial)
    study.tell(trial, losses[-1])
    assert list(study.trials[0].intermediate_values.values()) == losses
    assert not callback.pruned


def test_the_pruner_ends_keras_fit():
    study = optuna.create_study(pruner=optuna.pruners.ThresholdPruner(upper=0.0, n_warmup_steps=2))
    trial = study.ask()
    callback, losses = fit(trial)
    assert callback.pruned
    assert len(losses) == 3


def test_a_study_over_the_real_trainer(tmp_path):
    """Digits, three folds in lockstep: one report per epoch, each the mean over the folds."""
    space = Space.from_dict(
        {
            "name": "real",
            "params": {
                "optimizer": "sgd",
                "optimizer.learning_rate": {"values": [0.1, 0.05, 1e-6]},
                "epochs": 4,
                "batch_size": 8,
                "model.units": 32,
            },
        }
    )
    definition = StudyDefinition(space=space).override(
        {
            "sampler": "grid",
            "folds.k": 3,
            "data.limit": 600,
            "metrics": ["f1_macro"],
            "pruner": {"name": "median", "n_startup_trials": 2, "n_warmup_steps": 1},
        }
    )
    url = f"sqlite:///{tmp_path}/a.db"
    made = prepare_study(definition, name=None, storage_url=url, trials=None)
    events: list[Any] = []
    reason = run_worker(url, made.name, stop=lambda: False, on_event=events.append)
    assert reason == "done"
    first, second, third = load(url, made.name).trials
    assert (first.state, second.state) == (TrialState.COMPLETE, TrialState.COMPLETE)
    assert (third.state, third.user_attrs[EPOCHS_RUN]) == (TrialState.PRUNED, 2)
    for trial in (first, second, third):
        curves = read_curves(trial)
        means = curves.validation["accuracy"].mean(axis=1)
        assert list(trial.intermediate_values) == list(range(trial.user_attrs[EPOCHS_RUN]))
        np.testing.assert_allclose(list(trial.intermediate_values.values()), means, rtol=1e-6)
        assert set(curves.validation) == {"loss", "accuracy", "f1_macro"}
        assert curves.validation["accuracy"].shape[1] == 3
    assert first.value == pytest.approx(np.mean(first.user_attrs[FOLD_SCORES]))
    assert first.value > 0.6
    assert [event.state for event in of(TrialDone, events)] == ["complete", "complete", "pruned"]
