"""Importances: of several objectives those of the first, in its own direction."""

from __future__ import annotations

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import create_trial

from tuner.results.importances import importances


def test_of_several_objectives_the_first_counts_in_its_direction(recwarn) -> None:
    one = optuna.create_study(direction="maximize")
    two = optuna.create_study(directions=["maximize", "minimize"])
    both: dict[str, BaseDistribution] = {"a": FloatDistribution(0, 1), "b": FloatDistribution(0, 1)}
    for i in range(60):
        params = {"a": i / 60, "b": (i * 37 % 60) / 60}
        # The best are told by `a`, the worst by `b`.
        score = 10 * params["a"] if params["a"] > 0.8 else -params["b"]
        one.add_trial(create_trial(params=params, distributions=both, value=score))
        two.add_trial(create_trial(params=params, distributions=both, values=[score, 1.0]))
    assert importances(two) == importances(one)
    assert not [own for own in recwarn if "target" in str(own.message)]
