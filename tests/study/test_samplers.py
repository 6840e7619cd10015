"""Samplers: scikit-learn's candidates in their order, points by ticket, settings that arrive."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec

import numpy as np
import optuna
import pytest
from scipy.stats import qmc
from sklearn.model_selection import ParameterGrid, ParameterSampler

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import RATE, definition, load, prepare, space, work
from tuner.errors import DefinitionError
from tuner.study.sampler import ticket_seed
from tuner.study.samplers import SAMPLERS

MIXED = {
    "optimizer": "sgd",
    **RATE,
    "optimizer.momentum": {"low": 0.0, "high": 0.9},
    "batch_size": {"low": 16, "high": 64, "step": 16},
    "initializer": {"choices": ["he_normal", "glorot_uniform", "zeros"]},
    "epochs": 3,
}
CONDITIONAL = {
    "optimizer": {"choices": ["sgd", "adam"]},
    "optimizer.momentum": {"values": [0.0, 0.9], "when": {"optimizer": "sgd"}},
    "optimizer.beta_1": {"values": [0.8, 0.9, 0.95], "when": {"optimizer": "adam"}},
    "epochs": {"values": [3, 2]},
}


def params_of(url):
    return [trial.params for trial in load(url).trials]


def test_grid_tries_scikit_learns_candidates_in_their_order(url):
    made = definition(CONDITIONAL, sampler="grid")
    prepare(url, made)
    work(url)
    expected = list(ParameterGrid(space(CONDITIONAL).grid()))
    assert len(expected) == 10
    assert params_of(url) == expected


@pytest.mark.parametrize("state", [None, 0, 7])
@pytest.mark.parametrize("params", [MIXED, CONDITIONAL], ids=["distributions", "lists"])
def test_sklearn_random_tries_scikit_learns_candidates_in_their_order(url, params, state):
    spec = {"name": "sklearn-random", "random_state": state}
    prepare(url, definition(params, sampler=spec, trials=6, seed=3))
    work(url)
    seed = 3 if state is None else state
    expected = list(ParameterSampler(space(params).random(), 6, random_state=seed))
    assert params_of(url) == expected


@pytest.mark.parametrize("params", [MIXED, CONDITIONAL], ids=["distributions", "lists"])
def test_more_random_candidates_never_repeat_those_queued(sqlite, params):
    made = definition(params, sampler="sklearn-random", trials=4, pruner="none")
    prepare(sqlite, made)
    prepare(sqlite, made, trials=9)
    work(sqlite)
    tried = params_of(sqlite)
    assert tried[:4] == list(ParameterSampler(space(params).random(), 4, random_state=0))
    assert max(Counter(str(point) for point in tried).values()) == 1
    whole = list(ParameterSampler(space(params).random(), 9, random_state=0))
    if params is MIXED:
        assert tried == whole
    else:
        assert all(point in whole for point in tried[4:])


def test_totals_follow_from_the_sampler_and_the_space():
    lists = definition(CONDITIONAL)
    assert lists.override({"sampler": "grid"}).total_trials(None) == 10
    assert lists.override({"sampler": "grid", "trials": 4}).total_trials(None) == 4
    assert lists.override({"sampler": "brute-force"}).total_trials(None) == 10
    assert lists.override({"sampler": "sklearn-random", "trials": 50}).total_trials(None) == 10
    assert lists.override({"sampler": "random", "trials": 50}).total_trials(None) == 50
    assert lists.override({"trials": None}).total_trials(None) == 40
    mixed = definition(MIXED, sampler="sklearn-random", trials=50)
    assert mixed.total_trials(None) == 50
    for name in ("grid", "brute-force", "sklearn-random"):
        with pytest.raises(DefinitionError, match="11 trials were asked for"):
            lists.override({"sampler": name}).total_trials(11)


def test_candidates_are_plain_python_that_json_holds():
    made = definition(MIXED, sampler="sklearn-random")
    for candidate in made.candidates(5):
        assert {type(value) for value in candidate.values()} <= {float, int, str}


def test_a_ticket_takes_its_own_point_of_the_sequence(sqlite):
    unit = {"low": 0.0, "high": 0.5}
    two = {"model.dropout": unit, "loss.label_smoothing": unit, "epochs": 1}
    prepare(sqlite, definition(two, sampler="qmc", trials=8, seed=5))
    work(sqlite)
    tried = [[p["model.dropout"], p["loss.label_smoothing"]] for p in params_of(sqlite)]
    points = qmc.Sobol(2, seed=5, scramble=True).random(8) / 2
    np.testing.assert_allclose(tried, points, atol=1e-12)


def test_the_seed_of_a_ticket_is_its_own():
    seeds = {ticket_seed(seed, ticket) for seed in range(20) for ticket in range(100)}
    assert len(seeds) == 2000
    assert all(0 <= seed < 2**32 for seed in seeds)


NEEDS = {"cmaes": "cmaes", "gp": "torch"}


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name not in ("grid", "brute-force")])
@pytest.mark.filterwarnings("error::UserWarning")
def test_every_sampler_runs_a_mixed_space(tmp_path, name):
    if name in NEEDS and find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    url = f"journal:{tmp_path}/a"
    prepare(url, definition(MIXED, sampler=name, trials=14))
    reason, _ = work(url, trainer=FakeTrainer())
    trials = load(url).trials
    assert reason == "done"
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}
    assert all(set(trial.params) == set(MIXED) - {"optimizer", "epochs"} for trial in trials)
    assert len({trial.params["optimizer.learning_rate"] for trial in trials}) == 14


def test_settings_arrive_at_optunas_samplers():
    made = definition(
        sampler={"name": "tpe", "n_startup_trials": 3, "multivariate": False, "group": True}
    )
    sampler = made.sampler.build(made.space, seed=0, ticket=0)
    assert isinstance(sampler, optuna.samplers.TPESampler)
    assert sampler._n_startup_trials == 3
    assert sampler._multivariate is False
    other = definition(sampler={"name": "nsga2", "population_size": 7})
    assert other.sampler.build(other.space, seed=0, ticket=0)._population_size == 7  # type: ignore[attr-defined]


@pytest.mark.slow
def test_tpe_finds_a_better_rate_than_random_draws(tmp_path):
    """It learns from the trials told so far, in a study whose samplers are made anew each time."""
    found = {}
    for name in ("tpe", "random"):
        url = f"journal:{tmp_path}/{name}"
        prepare(url, definition(sampler=name, trials=40, pruner="none"))
        work(url)
        rates = [trial.params["optimizer.learning_rate"] for trial in load(url).trials[20:]]
        found[name] = np.mean(np.abs(np.log10(rates) + 1))
    assert found["tpe"] < 0.7 * found["random"]
