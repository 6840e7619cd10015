from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

from tests.support import plain_keras
from tuner.data import Fold
from tuner.errors import DataError, NoCompletedTrialError, TunerError, UsageError
from tuner.export import chosen_trial, refit_trial, study_dataset
from tuner.export.facts import settings_of
from tuner.export.refit import FirstEpochs, RecordedRates
from tuner.planning import plan_training
from tuner.storage import records
from tuner.training import Trainer

PARAMS: dict[str, Any] = {"model.units": "16", "epochs": 4, "optimizer.learning_rate": 0.01}


def test_the_refit_is_a_plain_training_on_all_rows(train_study):
    """Same weights as the trainer gives for one fold that holds every search row."""
    made = train_study(PARAMS)
    trial = chosen_trial(made.study, None)
    dataset = study_dataset(made.study, made.definition)
    refitted = refit_trial(made.study, trial, dataset)

    assert refitted.plan.epochs == 4
    everything = np.arange(dataset.rows, dtype=np.int32)
    trainer = Trainer(
        dataset,
        [Fold(everything, everything[:30])],
        scaling=made.definition.data.scaling,
        metrics=("accuracy",),
    )
    plan = plan_training(PARAMS, features=64, outputs=10, task="multiclass")
    [again] = trainer.train([plan], [[refitted.seed]], weights=True)
    for ours, theirs in zip(refitted.weights, again.weights[0], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert refitted.seed not in {made.definition.seed, 0}
    assert refitted.fold_scores == {"accuracy": made.scores.fold_scores("accuracy").tolist()}


@pytest.mark.slow
def test_class_weights_are_those_of_all_search_rows(train_study):
    """Equal to plain Keras with the same weights, and the exported scores to the refit's own."""
    data = {"uri": "sklearn:wine", "test_share": 0.2, "scaling": "none"}
    params = {**PARAMS, "loss.class_weight": "balanced", "optimizer.learning_rate": 1e-4}
    made = train_study(params, data=data)
    refitted = refit_trial(made.study, made.study.trials[0], made.dataset)
    rows = np.arange(made.dataset.rows, dtype=np.int32)
    y = made.dataset.y
    weights = compute_class_weight("balanced", classes=np.arange(3), y=y)
    assert np.ptp(weights) > 0.2
    plain, _ = plain_keras.train(
        refitted.plan,
        made.dataset,
        Fold(rows, rows[:0]),
        refitted.seed,
        class_weight=dict(enumerate(weights)),
    )
    for own, other in zip(refitted.weights, plain.get_weights(), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-5, rtol=0)


def test_scaling_is_that_of_all_search_rows(train_study):
    made = train_study({**PARAMS, "epochs": 1}, data={"uri": "sklearn:wine", "test_share": 0.2})
    dataset = study_dataset(made.study, made.definition)
    refitted = refit_trial(made.study, made.study.trials[0], dataset)
    scaler = StandardScaler().fit(dataset.x)
    np.testing.assert_allclose(refitted.scaling.scale, 1 / scaler.scale_, rtol=1e-5)
    np.testing.assert_allclose(refitted.scaling.shift, -scaler.mean_ / scaler.scale_, rtol=1e-4)


def test_epochs_are_those_the_folds_are_scored_at(train_study):
    """Early stopping: the mean of the folds' epochs, on the first part of the same schedule."""
    made = train_study(PARAMS | {"schedule": "cosine", "epochs": 9})
    trial = made.study.trials[0]
    trial.user_attrs[records.SCORE_EPOCHS] = [4, 7]
    refitted = refit_trial(made.study, trial, made.dataset)
    assert refitted.plan.epochs == 6  # 5.5, rounded half up
    assert refitted.plan.patience is None
    assert isinstance(refitted.plan.schedule, FirstEpochs)
    searched = refitted.plan.schedule.inner.rates(10, 9)
    np.testing.assert_array_equal(refitted.plan.schedule.rates(10, 6), searched[:60])


def test_settings_follow_the_first_part_of_their_schedules(train_study):
    """To the bit what the training of all the search's epochs is after the refit's."""
    scheduled = {
        "optimizer.weight_decay": 0.1,
        "optimizer.weight_decay_schedule": "flat_cosine",
        "model.dropout": 0.3,
        "model.dropout_schedule": "cosine",
        "loss.label_smoothing": 0.2,
        "loss.label_smoothing_schedule": "coslog4",
    }
    params = PARAMS | scheduled | {"schedule": "coslog4", "epochs": 7}
    made = train_study(params)
    trial = made.study.trials[0]
    trial.user_attrs[records.SCORE_EPOCHS] = [3, 5]
    refitted = refit_trial(made.study, trial, made.dataset)
    rows = np.arange(made.dataset.rows, dtype=np.int32)
    trainer = Trainer(made.dataset, [Fold(rows, rows[:0])], metrics=(), objective="loss")
    whole = plan_training(params, features=64, outputs=10, task="multiclass")
    [scores] = trainer.train([whole], [[refitted.seed]], weights=True, snapshots=[[4]])
    for own, other in zip(refitted.weights, scores.snapshots[4][0], strict=True):
        np.testing.assert_array_equal(own, other)
    told = settings_of(refitted, "study", None)["plan"]
    assert told["schedule"]["inner"]["name"] == "coslog4"
    assert {name: own["inner"]["name"] for name, own in told["scheduled"].items()} == {
        "dropout": "cosine",
        "label_smoothing": "coslog4",
        "weight_decay": "flat_cosine",
    }


@pytest.mark.slow
def test_plateau_repeats_the_rates_that_were_used(train_study):
    made = train_study(
        PARAMS
        | {"schedule": "plateau", "schedule.patience": 1, "schedule.factor": 0.5, "epochs": 12}
        | {"schedule.min_delta": 0.05}
    )
    used = made.scores.learning_rate.mean(axis=1)
    assert used[-1] < used[0], "the example should reach a plateau"
    refitted = refit_trial(made.study, made.study.trials[0], made.dataset)
    assert isinstance(refitted.plan.schedule, RecordedRates)
    np.testing.assert_allclose(refitted.plan.schedule.recorded, used, rtol=1e-6)


def test_other_data_are_refused_with_both_hashes(train_study):
    made = train_study(PARAMS | {"epochs": 1})
    made.study.set_user_attr(records.STUDY_DATA_HASH, "feedfacefeedface")
    with pytest.raises(DataError, match=f"{made.dataset.hash} now.*feedfacefeedface"):
        study_dataset(made.study, made.definition)


@pytest.mark.slow
def test_a_training_that_diverges_says_so(train_study):
    made = train_study(
        PARAMS | {"epochs": 2}, data={"uri": "sklearn:digits", "limit": 200, "scaling": "none"}
    )
    broken = replace(made.dataset, x=made.dataset.x.astype(np.float32) * np.float32(1e36))
    with pytest.raises(TunerError, match=r"trial 0 .* not finite after epoch 1 of 2"):
        refit_trial(made.study, made.study.trials[0], broken)


def test_only_completed_trials(train_study):
    made = train_study(PARAMS | {"epochs": 1}, state=TrialState.PRUNED)
    with pytest.raises(UsageError, match="trial 0 of study 'small' is pruned"):
        chosen_trial(made.study, 0)
    with pytest.raises(NoCompletedTrialError):
        chosen_trial(made.study, None)
    with pytest.raises(UsageError, match=r"received 5\. Available: 0 to 0"):
        chosen_trial(made.study, 5)
