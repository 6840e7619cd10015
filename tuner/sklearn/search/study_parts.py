"""A study's parts: the space that it varies, in the estimator's own parameter names, its sampler
and pruner by name, and what it is searched on, in words and hashes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np
from pydantic import ValidationError
from sklearn.base import BaseEstimator, clone

from tuner.errors import SpaceError, UsageError
from tuner.registry import Registry
from tuner.sklearn.estimators.parameters import FLAT, SIZES
from tuner.spaces import Space, load_space
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.from_optuna import NamedChoices, from_distributions
from tuner.study.named import Named
from tuner.text import quoted, shortened

AnyNamed = TypeVar("AnyNamed", bound=Named)


@dataclass(frozen=True)
class EstimatorSpace:
    """A space, and how its values become the estimator's parameters (`step__name` in a pipeline).

    Attributes:
        prefix: what stands before a name of the catalogue's; None: the names are the estimator's.
        choices: what the space's texts stand for.
    """

    space: Space
    prefix: str | None = None
    choices: NamedChoices = field(default_factory=lambda: NamedChoices({}))

    @property
    def names(self) -> set[str]:
        """The parameters of the estimator that it sets."""
        if self.prefix is None:
            return set(self.space.params)
        return {
            self.prefix + ("hidden_layer_sizes" if name in SIZES else FLAT[name])
            for name in self.space.params
        }

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The estimator's parameters of a candidate, the fixed ones included."""
        if self.prefix is None:
            return self.choices.objects(values)
        return {self.prefix + name: value for name, value in estimator_params(values).items()}


def estimator_space(space: object, prefix: str, task: str) -> EstimatorSpace:
    """The space that a search was given: a `Space`, the name or file of one, or a dict of
    distributions. Raises SpaceError for anything else."""
    if isinstance(space, str | Path):
        space = load_space(str(space))
    if isinstance(space, Space):
        space = space.for_task(task)
        return EstimatorSpace(space) if space.open else catalogue_space(space, prefix)
    if isinstance(space, Mapping) and space:
        made, choices = from_distributions(space)
        return EstimatorSpace(made, choices=choices)
    raise SpaceError(
        "space must be a tuner Space, the name or the file of one, or a dict of parameter names "
        f"to optuna distributions; got {quoted(space)}"
    )


def catalogue_space(space: Space, prefix: str) -> EstimatorSpace:
    """A space of the catalogue's names. Raises SpaceError for one that our estimators lack."""
    missing = [name for name in space.params if name not in (*FLAT, *SIZES)]
    if missing:
        raise SpaceError(
            "a space for an estimator must have its parameters only; got those of another "
            f"package: {', '.join(missing)}. Available: tuner optimize"
        )
    return EstimatorSpace(space, prefix)


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


def by_name(kinds: Registry[type[AnyNamed]], name: str, **settings: Any) -> AnyNamed:
    """The sampler or pruner called `name`, with those of the `settings` that it has.

    Raises UsageError for an unknown name, or one that needs settings.
    """
    if name not in kinds:
        raise UsageError(kinds.unknown(name))
    kind = kinds[name]
    own = {key: value for key, value in settings.items() if key in kind.model_fields}
    try:
        return kind(**own)
    except ValidationError:
        raise UsageError(
            f"{quoted(name)} needs settings; give an object of Optuna's instead"
        ) from None


def facts_of(
    estimator: BaseEstimator,
    space: EstimatorSpace,
    X: Any,
    y: Any,
    splits: Sequence[Any],
    cv: object,
    scoring: object,
    params: Mapping[str, Any],
) -> dict[str, str]:
    """What a search is made of, so that another one is told apart from it, and why.

    Args:
        params: what `fit`, the scorer and the splitter are called with besides.
    """
    facts = {
        "X": f"{'x'.join(map(str, np.shape(X)))} {content_hash(X)}",
        "y": content_hash(y),
        "splits": f"{len(splits)} splits, {content_hash(splits)}",
        "cv": described(cv),
        "scoring": described(scoring),
    }
    given = {name: value for name, value in params.items() if value is not None}
    if given:
        facts["parameters of fit"] = content_hash(given)
    fixed = {"": estimator, **clone(estimator).get_params()}
    for name, value in fixed.items():
        if name in space.names or value is None or _holds_estimators(value):
            continue
        text = type(value).__name__ if hasattr(value, "get_params") else described(value)
        facts[f"estimator.{name}".rstrip(".")] = text
    return facts


def _holds_estimators(value: object) -> bool:
    """Whether `get_params` gives what is in it one by one."""
    return isinstance(value, list | tuple) and any(isinstance(item, tuple) for item in value)


def described(value: object) -> str:
    """In a few words that are the same in every process."""
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return f"array {content_hash(value)}"
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    text = re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(value).split()))
    return text if len(text) <= 200 else f"{shortened(text, 180)} {content_hash(text)}"


def content_hash(value: object) -> str:
    """First 16 hexadecimal digits; equal for equal arrays, however they lie in memory."""
    if isinstance(value, np.ndarray):
        value = np.ascontiguousarray(value)
    elif hasattr(value, "dtypes") and hasattr(value, "items"):  # a table of pandas
        value = {str(name): np.ascontiguousarray(column) for name, column in value.items()}
    return str(joblib.hash(value))[:16]


def scorer_names(scoring: object, scorers: Any, refit: object) -> list[str]:
    """The names of the scores, that which the search is by first."""
    if isinstance(scoring, str):
        return [scoring]
    known = list(getattr(scorers, "_scorers", {}))
    if not known:
        return [refit if isinstance(refit, str) else "score"]
    first = refit if isinstance(refit, str) and refit in known else known[0]
    return [first, *(name for name in known if name != first)]
