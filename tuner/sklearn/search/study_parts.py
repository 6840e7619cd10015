"""A study's parts by name: sampler, pruner, storage."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from pydantic import ValidationError
from sklearn.pipeline import Pipeline

from tuner.errors import UsageError, unknown
from tuner.sklearn.search.spaces import EstimatorSpace
from tuner.storage import open_storage
from tuner.storage.quiet import quiet_optuna
from tuner.study.pruners import PRUNERS
from tuner.study.samplers import SAMPLERS


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
            f"the pruner {pruner!r} needs settings; give an object of optuna.pruners instead"
        ) from None


def most_epochs(space: EstimatorSpace, final: Any) -> int:
    """The most epochs that a trial may train."""
    for name, distribution in space.distributions().items():
        if name.split("__")[-1] == "epochs":
            choices = getattr(distribution, "choices", None)
            return int(max(choices) if choices else distribution.high)  # type: ignore[attr-defined]
    return int(getattr(final, "epochs", None) or 1)


def opened_study(storage: str | BaseStorage | None, name: str | None) -> optuna.Study:
    """A study that maximises, as scikit-learn's scores are read: a new one in memory (None), or
    the one called `name` in a storage, made if it does not exist."""
    quiet_optuna()
    own = open_storage(storage) if isinstance(storage, str) else storage
    return optuna.create_study(
        storage=own, study_name=name, direction="maximize", load_if_exists=name is not None
    )


def last_step_prefix(estimator: Any) -> str:
    """What stands before a parameter of the estimator that learns."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
