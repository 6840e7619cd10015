"""What a study varies, in the estimator's own parameter names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.distributions import BaseDistribution

from tuner.errors import SpaceError
from tuner.sklearn.estimators.params import PARAMETERS
from tuner.spaces import Space, load_space
from tuner.spaces.catalogue import CATALOGUE

_FLAT = {dotted: flat for flat, dotted in PARAMETERS.items()}
_SIZES = ("model.layers", "model.units")


class EstimatorSpace(Protocol):
    """A space whose points are parameters of an estimator."""

    def distributions(self) -> dict[str, BaseDistribution]:
        """Of what varies, by the trial's parameter names."""

    def ask(self, study: optuna.Study) -> tuple[optuna.Trial, dict[str, Any]]:
        """A new trial and its candidate: estimator parameter names to values."""


class DistributionSpace:
    """Optuna distributions keyed by estimator parameter names (`step__name` in a pipeline)."""

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        for name, own in distributions.items():
            if not isinstance(own, BaseDistribution):
                raise SpaceError(
                    f"space: {name} must be a distribution of optuna.distributions; got {own!r}"
                )
        self._distributions = dict(distributions)

    def distributions(self) -> dict[str, BaseDistribution]:
        return dict(self._distributions)

    def ask(self, study: optuna.Study) -> tuple[optuna.Trial, dict[str, Any]]:
        trial = study.ask(self._distributions)
        return trial, {name: trial.params[name] for name in self._distributions}


class CatalogueSpace:
    """A `tuner.spaces.Space`: its names become the constructor's, behind `prefix`."""

    def __init__(self, space: Space, prefix: str) -> None:
        missing = [name for name in space.params if name not in (*_FLAT, *_SIZES)]
        if missing:
            raise SpaceError(
                "a space for an estimator must have its parameters only; got those of another "
                f"package: {', '.join(missing)}. Available: tuner optimize"
            )
        self._space = space
        self._prefix = prefix

    def distributions(self) -> dict[str, BaseDistribution]:
        return self._space.distributions()

    def ask(self, study: optuna.Study) -> tuple[optuna.Trial, dict[str, Any]]:
        trial = study.ask()
        flat = estimator_params(self._space.suggest(trial))
        return trial, {self._prefix + name: value for name, value in flat.items()}


def estimator_params(values: Mapping[str, Any]) -> dict[str, Any]:
    """Catalogue names and values to constructor parameters: `model.layers` and `model.units`
    together are `hidden_layer_sizes`, every other name has one parameter.

    >>> estimator_params({"optimizer.learning_rate": 0.1, "model.units": "64-32"})
    {'learning_rate': 0.1, 'hidden_layer_sizes': (64, 32)}
    """
    params = {_FLAT[name]: value for name, value in values.items() if name not in _SIZES}
    if not set(_SIZES) & set(values):
        return params
    units = values.get("model.units", CATALOGUE["model.units"].default)
    if isinstance(units, str):
        sizes = tuple(int(width) for width in units.split("-"))
    else:
        layers = values.get("model.layers", CATALOGUE["model.layers"].default)
        sizes = (int(units),) * int(layers)  # type: ignore[arg-type]
    return {**params, "hidden_layer_sizes": sizes}


def estimator_space(space: object, prefix: str) -> EstimatorSpace:
    """The space that a search was given: a `Space`, the name or file of one, or a dict of
    distributions. Raises SpaceError for anything else."""
    if isinstance(space, str | Path):
        space = load_space(str(space))
    if isinstance(space, Space):
        return CatalogueSpace(space, prefix)
    if isinstance(space, Mapping) and space:
        return DistributionSpace(space)
    raise SpaceError(
        "space must be a tuner Space, the name or the file of one, or a dict of parameter names "
        f"to optuna distributions; got {space!r}"
    )
