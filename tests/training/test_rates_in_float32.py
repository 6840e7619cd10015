"""Rates that float32 cannot hold, and epochs that were run with any rate at all."""

import numpy as np
import pytest

from tuner.errors import PlanError
from tuner.parameters import Value
from tuner.planning.planner import plan_training
from tuner.training.early_stopping import network_rates
from tuner.training.scores import TrialScores


def test_rates_that_leave_float32_are_refused_by_name() -> None:
    params: dict[str, Value] = {
        "optimizer.learning_rate": 1e30,
        "schedule": "piecewise",
        "schedule.boundaries": [1],
        "schedule.factors": [1e30],
    }
    plan = plan_training(params, features=4, outputs=1, task="binary")
    with pytest.raises(PlanError, match="schedule piecewise does not from"):
        network_rates([plan], [3], "max")


def test_too_many_updates_are_refused_before_their_rates_are_made() -> None:
    plan = plan_training({"epochs": 100_000}, features=4, outputs=1, task="binary")
    with pytest.raises(PlanError, match="at most 268,435,456 updates; got 100,000 epochs of"):
        network_rates([plan], [10**6], "max")


def test_a_network_of_too_many_parameters_is_refused() -> None:
    with pytest.raises(PlanError, match="at most 1,000,000,000 parameters; hidden layers of 1000"):
        plan_training(
            {"model.units": 100_000, "model.layers": 3}, features=4, outputs=1, task="binary"
        )


def test_an_epoch_with_an_infinite_rate_was_run() -> None:
    """It was taken for none, and a trial failed for want of an epoch instead of diverging."""
    curve = np.full((1, 2), np.nan)
    scores = TrialScores(
        train={"loss": curve},
        validation={"loss": curve},
        learning_rate=np.full((1, 2), np.inf),
        epoch_seconds=np.ones(1),
        score_epoch=np.ones(2, np.int64),
        status=("diverged", "diverged"),
    )
    own = scores.of_folds(slice(0, 2))
    assert own.epochs_run == 1
    assert np.isnan(own.fold_scores("loss")).all()
