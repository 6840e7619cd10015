"""Grids and random draws against scikit-learn, scipy and Optuna."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from sklearn.model_selection import ParameterGrid, ParameterSampler

from tuner.errors import SpaceError
from tuner.spaces import Space


def make(params: dict[str, object]) -> Space:
    return Space.from_dict({"name": "mine", "params": params})


def test_without_conditions_the_grid_is_one_dictionary_in_file_order():
    space = make(
        {
            "initializer": {"values": ["zeros", "he_normal", "ones"]},
            "epochs": {"low": 10, "high": 20, "step": 5},
            "model.dropout": {"low": 0, "high": 0.3, "step": 0.1},
            "batch_size": 64,
        }
    )
    assert space.grid() == [
        {
            "initializer": ["zeros", "he_normal", "ones"],
            "epochs": [10, 15, 20],
            # In binary fractions 3 * 0.1 is 0.30000000000000004.
            "model.dropout": [0.0, 0.1, 0.2, 0.3],
        }
    ]
    assert list(space.grid()[0]) == ["initializer", "epochs", "model.dropout"]
    plain = ParameterGrid(
        {
            "initializer": ["zeros", "he_normal", "ones"],
            "epochs": [10, 15, 20],
            "model.dropout": [0.0, 0.1, 0.2, 0.3],
        }
    )
    assert list(ParameterGrid(space.grid())) == list(plain)
    assert space.size() == len(plain) == 36


def test_a_whole_range_is_all_of_its_numbers_and_one_value_is_one_point():
    space = make({"epochs": {"low": 5, "high": 8}, "model.dropout": {"low": 0.5, "high": 0.5}})
    assert space.grid() == [{"epochs": [5, 6, 7, 8], "model.dropout": [0.5]}]


def test_a_space_without_anything_varying_is_one_candidate():
    space = make({"epochs": 3})
    assert list(ParameterGrid(space.grid())) == [{}]
    assert space.complete({}) == {"epochs": 3}
    assert space.size() == 1


CONDITIONAL = {
    "optimizer.nesterov": {"choices": [True, False], "when": {"optimizer.momentum": [0.5, 0.9]}},
    "optimizer": {"choices": ["sgd", "adam", "adamw"]},
    "optimizer.momentum": {"choices": [0.0, 0.5, 0.9]},
    "optimizer.weight_decay": {"values": [0.01, 0.1], "when": {"optimizer": "adamw"}},
    "epochs": {"values": [3, 6]},
    "batch_size": {"value": 8, "when": {"optimizer": "sgd"}},
}


def all_by_hand() -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for epochs in (3, 6):
        found.append({"optimizer": "sgd", "optimizer.momentum": 0.0, "epochs": epochs})
        for momentum, nesterov in itertools.product((0.5, 0.9), (True, False)):
            found.append(
                {
                    "optimizer": "sgd",
                    "optimizer.momentum": momentum,
                    "optimizer.nesterov": nesterov,
                    "epochs": epochs,
                }
            )
        found.append({"optimizer": "adam", "epochs": epochs})
        for decay in (0.01, 0.1):
            found.append({"optimizer": "adamw", "optimizer.weight_decay": decay, "epochs": epochs})
    return found


def key(candidate: dict[str, object]) -> str:
    return repr(sorted(candidate.items()))


def test_a_grid_with_conditions_has_every_combination_once_with_its_active_parameters():
    space = make(CONDITIONAL)
    candidates = list(ParameterGrid(space.grid()))
    assert sorted(map(key, candidates)) == sorted(map(key, all_by_hand()))
    assert space.size() == len(candidates) == 16
    for candidate in candidates:
        complete = space.complete(candidate)
        assert complete.get("batch_size") == (8 if candidate["optimizer"] == "sgd" else None)


def test_grids_follow_the_values_of_the_deciding_parameters_in_order():
    deciding = [
        (grid["optimizer"], grid.get("optimizer.momentum")) for grid in make(CONDITIONAL).grid()
    ]
    assert deciding == [
        (["sgd"], [0.0]),
        (["sgd"], [0.5]),
        (["sgd"], [0.9]),
        (["adam"], None),
        (["adamw"], None),
    ]


def test_a_continuous_range_has_no_grid():
    space = make(
        {
            "epochs": {"values": [3, 6]},
            "optimizer.learning_rate": {"low": 1e-3, "high": 1, "log": True},
            "model.l2": {"distribution": "loguniform", "a": 1e-6, "b": 1},
        }
    )
    assert space.size() is None
    with pytest.raises(SpaceError) as caught:
        space.grid()
    assert str(caught.value) == (
        "space mine: a grid needs finite steps: give a step, values or choices to "
        "optimizer.learning_rate (0.001 .. 1, log), model.l2 (loguniform(a=1e-06, b=1)), "
        "or choose another sampler"
    )


def test_a_grid_of_a_slip_of_the_pen_is_refused():
    with pytest.raises(SpaceError, match="at most 100000 values of one parameter; batch_size has"):
        make({"batch_size": {"low": 1, "high": 10**9}}).grid()
    many = make(
        {
            "model.layers": {"low": 0, "high": 100},
            "epochs": {"low": 1, "high": 200},
            "batch_size": {"value": 8, "when": {"model.layers": 3, "epochs": 4}},
        }
    )
    with pytest.raises(SpaceError, match=r"\(model.layers, epochs\) have more than 10000 comb"):
        many.grid()


def test_lists_are_drawn_without_replacement_as_scikit_learn_does():
    params = {"initializer": {"choices": ["zeros", "ones"]}, "epochs": {"values": [3, 6, 9]}}
    plain = {"initializer": ["zeros", "ones"], "epochs": [3, 6, 9]}
    ours = list(ParameterSampler(make(params).random(), n_iter=6, random_state=3))
    assert ours == list(ParameterSampler(plain, n_iter=6, random_state=3))
    assert len({key(candidate) for candidate in ours}) == 6


def test_ranges_are_drawn_as_from_scipy():
    params = {
        "optimizer.learning_rate": {"low": 1e-3, "high": 1, "log": True},
        "model.dropout": {"low": 0.1, "high": 0.6},
        "epochs": {"low": 5, "high": 40},
        "model.l2": {"low": 0.0, "high": 0.2, "step": 0.1},
    }
    plain = {
        "optimizer.learning_rate": stats.loguniform(1e-3, 1),
        "model.dropout": stats.uniform(0.1, 0.5),
        "epochs": stats.randint(5, 41),
        "model.l2": [0.0, 0.1, 0.2],
    }
    ours = list(ParameterSampler(make(params).random(), n_iter=20, random_state=7))
    assert ours == list(ParameterSampler(plain, n_iter=20, random_state=7))


@pytest.mark.parametrize(
    ("data", "frozen"),
    [
        ({"distribution": "uniform", "loc": 0.1, "scale": 0.5}, stats.uniform(0.1, 0.5)),
        ({"distribution": "loguniform", "a": 0.01, "b": 0.9}, stats.loguniform(0.01, 0.9)),
        ({"distribution": "beta", "a": 2, "b": 5}, stats.beta(2, 5)),
        (
            {"distribution": "beta", "a": 2, "b": 5, "loc": 0.5, "scale": 0.4},
            stats.beta(2, 5, 0.5, 0.4),
        ),
    ],
)
def test_a_distribution_is_scipy_s_of_that_name(data, frozen):
    space = make({"optimizer": "sgd", "optimizer.momentum": data})
    ours = list(ParameterSampler(space.random(), n_iter=10, random_state=1))
    scipys = list(ParameterSampler({"optimizer.momentum": frozen}, n_iter=10, random_state=1))
    assert ours == scipys
    distribution = space.distributions()["optimizer.momentum"]
    assert (distribution.low, distribution.high) == pytest.approx(frozen.support())  # type: ignore[attr-defined]


def test_randint_is_scipy_s():
    space = make({"epochs": {"distribution": "randint", "low": 5, "high": 9}})
    ours = list(ParameterSampler(space.random(), n_iter=30, random_state=1))
    scipys = {"epochs": stats.randint(5, 9)}
    assert ours == list(ParameterSampler(scipys, n_iter=30, random_state=1))


@pytest.mark.parametrize(
    ("data", "whole", "ends"),
    [
        ({"distribution": "norm", "loc": 0.5, "scale": 0.3}, stats.norm(0.5, 0.3), (0.2, 0.9)),
        ({"distribution": "lognorm", "s": 2, "scale": 0.1}, stats.lognorm(2, 0, 0.1), (0.01, 0.8)),
        ({"distribution": "expon", "scale": 0.3}, stats.expon(0, 0.3), (0.1, 0.9)),
    ],
)  # fmt: skip
def test_a_cut_distribution_is_the_whole_one_between_its_ends(data, whole, ends):
    low, high = ends
    space = make({"model.dropout": {**data, "low": low, "high": high}})
    candidates = list(ParameterSampler(space.random(), n_iter=2000, random_state=0))
    drawn = np.array([candidate["model.dropout"] for candidate in candidates])
    assert low <= drawn.min() <= drawn.max() <= high

    def between(x):
        return (whole.cdf(x) - whole.cdf(low)) / (whole.cdf(high) - whole.cdf(low))

    assert stats.kstest(drawn, between).pvalue > 0.01
    assert stats.kstest(drawn, whole.cdf).pvalue < 1e-6  # it IS cut


def test_logarithmic_whole_numbers_have_the_probabilities_of_their_intervals():
    space = make({"batch_size": {"low": 1, "high": 6, "log": True}})
    candidates = list(ParameterSampler(space.random(), n_iter=4000, random_state=0))
    drawn = [candidate["batch_size"] for candidate in candidates]
    assert all(type(value) is int for value in drawn)
    counts = np.bincount(drawn, minlength=7)[1:]
    whole = math.log(6.5 / 0.5)
    expected = [4000 * math.log((k + 0.5) / (k - 0.5)) / whole for k in range(1, 7)]
    assert stats.chisquare(counts, expected).pvalue > 0.01
    drawn_again = space.random()[0]["batch_size"].rvs(size=(2, 3), random_state=0)
    assert drawn_again.shape == (2, 3)


def test_random_draws_with_conditions_hold_the_active_parameters_only():
    params = {
        "optimizer": {"choices": ["sgd", "adam"]},
        "optimizer.momentum": {"low": 0.0, "high": 0.9},
        "epochs": {"low": 1, "high": 9},
    }
    space = make(params)
    candidates = list(ParameterSampler(space.random(), n_iter=200, random_state=0))
    for candidate in candidates:
        assert ("optimizer.momentum" in candidate) == (candidate["optimizer"] == "sgd")
        space.complete(candidate)
    assert 70 < sum(candidate["optimizer"] == "sgd" for candidate in candidates) < 130
