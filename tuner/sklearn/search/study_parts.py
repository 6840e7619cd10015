"""A study's parts: the space that it varies, in the estimator's own parameter names, and its
sampler, pruner and storage by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from pydantic import ValidationError

from tuner.errors import SpaceError, UsageError, unknown
from tuner.sklearn.estimators.parameters import FLAT, SIZES
from tuner.spaces import Space, load_space
from tuner.spaces.catalogue import CATALOGUE
from tuner.storage import open_storage
from tuner.storage.quiet import quiet_optuna
from tuner.study.pruners import PRUNERS
from tuner.study.samplers import SAMPLERS
from tuner.text import quoted


class DistributionSpace:
    """Optuna distributions keyed by estimator parameter names (`step__name` in a pipeline)."""

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        for name, own in distributions.items():
            if not isinstance(own, BaseDistribution):
                raise SpaceError(
                    f"space: {name} must be a distribution of optuna.distributions; got "
                    f"{quoted(own)}"
                )
        self._distributions = dict(distributions)

    def distributions(self) -> dict[str, BaseDistribution]:
        return dict(self._distributions)

    def ask(self, study: optuna.Study) -> tuple[optuna.Trial, dict[str, Any]]:
        """A new trial and its candidate: estimator parameter names to values."""
        trial = study.ask(self._distributions)
        return trial, {name: trial.params[name] for name in self._distributions}


class CatalogueSpace:
    """A `tuner.spaces.Space`: its names become the constructor's, behind `prefix`."""

    def __init__(self, space: Space, prefix: str) -> None:
        missing = [name for name in space.params if name not in (*FLAT, *SIZES)]
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


EstimatorSpace = DistributionSpace | CatalogueSpace


def estimator_params(values: Mapping[str, Any]) -> dict[str, Any]:
    """Catalogue names and values to constructor parameters: `model.layers` and `model.units`
    together are `hidden_layer_sizes`, every other name has one parameter.

    >>> estimator_params({"optimizer.learning_rate": 0.1, "model.units": "64-32"})
    {'learning_rate': 0.1, 'hidden_layer_sizes': (64, 32)}
    """
    params = {FLAT[name]: value for name, value in values.items() if name not in SIZES}
    if not set(SIZES) & set(values):
        return params
    units = values.get("model.units", CATALOGUE["model.units"].default)
    if isinstance(units, str):
        sizes = tuple(int(width) for width in units.split("-"))
    else:
        layers = values.get("model.layers", CATALOGUE["model.layers"].default)
        sizes = (int(units),) * int(layers)  # type: ignore[arg-type]
    return {**params, "hidden_layer_sizes": sizes}


def estimator_space(space: object, prefix: str, task: str) -> EstimatorSpace:
    """The space that a search was given: a `Space`, the name or file of one, or a dict of
    distributions. Raises SpaceError for anything else."""
    if isinstance(space, str | Path):
        space = load_space(str(space))
    if isinstance(space, Space):
        return CatalogueSpace(space.for_task(task), prefix)
    if isinstance(space, Mapping) and space:
        return DistributionSpace(space)
    raise SpaceError(
        "space must be a tuner Space, the name or the file of one, or a dict of parameter names "
        f"to optuna distributions; got {quoted(space)}"
    )


def optuna_sampler(
    sampler: str | BaseSampler, space: EstimatorSpace, seed: int, number: int
) -> BaseSampler:
    """The sampler for trial `number`; one that was given is used as it is.

    Raises UsageError for an unknown name, or a package that is missing.
    """
    if isinstance(sampler, BaseSampler):
        return sampler
    drawing = [name for name, kind in SAMPLERS.items() if not kind.ready]
    if sampler not in drawing:
        raise UsageError(unknown("sampler", sampler, drawing))
    made = SAMPLERS[sampler]()
    made.require_packages()
    return made.build(space, seed=seed, ticket=number)


def optuna_pruner(pruner: str | BasePruner, epochs: int) -> BasePruner:
    """The pruner of a study whose trials train at most `epochs`.

    Raises UsageError for an unknown name, or one that needs settings.
    """
    if isinstance(pruner, BasePruner):
        return pruner
    if pruner not in PRUNERS:
        raise UsageError(PRUNERS.unknown(pruner))
    try:
        return PRUNERS[pruner]().build(epochs)
    except ValidationError:
        raise UsageError(
            f"the pruner {quoted(pruner)} needs settings; give an object of optuna.pruners instead"
        ) from None


def opened_study(storage: str | BaseStorage | None, name: str | None) -> optuna.Study:
    """A study that maximises, as scikit-learn's scores are read: a new one in memory (None), or
    the one called `name` in a storage, made if it does not exist."""
    quiet_optuna()
    own = open_storage(storage) if isinstance(storage, str) else storage
    return optuna.create_study(
        storage=own, study_name=name, direction="maximize", load_if_exists=name is not None
    )
