"""Samplers by name: `sampler: {name: tpe, n_startup_trials: 20}`.

Settings have Optuna's names (scikit-learn's for `sklearn-random`). Seeds are never given here:
they follow from the study's seed and the ticket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from tuner.parameters.kinds import Count
from tuner.registry import Registry
from tuner.study.by_object import CustomSampler
from tuner.study.candidates import Grid, SklearnRandom
from tuner.study.named import by_name
from tuner.study.sampler import Drawable, Exhaustive, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


#: Points that one sampling step draws or holds at most.
MOST_DRAWN = 10_000


class Tpe(Sampler):
    """Optuna's TPESampler.

    `group` models the parameters of each branch of a conditional space together;
    `constant_liar` keeps several workers from trying neighbouring points at a time.
    """

    name = "tpe"
    optunas = "TPESampler"
    learns_from_pruned = True
    n_startup_trials: Count = 10
    n_ei_candidates: int = Field(default=24, ge=1, le=MOST_DRAWN)
    multivariate: bool = True
    group: bool = True
    constant_liar: bool = True

    def arguments(self) -> dict[str, Any]:
        return {**dict(self), "group": self.group and self.multivariate}


class Random(Sampler):
    """Optuna's RandomSampler."""

    name = "random"


class Qmc(Sampler):
    """A low-discrepancy sequence, `sobol` or `halton` (Optuna's QMCSampler): ticket t takes its
    point t, whoever works on it."""

    name = "qmc"
    qmc_type: Literal["sobol", "halton"] = "sobol"
    scramble: bool = True

    def build(self, space: Drawable, *, seed: int, ticket: int) -> BaseSampler:
        from tuner.study.by_ticket import TicketQMCSampler

        return TicketQMCSampler(
            space.distributions(),
            ticket,
            seed=seed,
            independent_sampler=Random().build(space, seed=seed, ticket=ticket),
            **dict(self),
        )


class CmaEs(Sampler):
    """Optuna's CmaEsSampler, for numeric parameters; others are drawn at random."""

    name = "cmaes"
    optunas = "CmaEsSampler"
    several = False
    learns_from_pruned = True
    needs = "cmaes"
    extras: ClassVar[Mapping[str, Any]] = {"warn_independent_sampling": False}
    n_startup_trials: Count = 1
    popsize: int | None = Field(default=None, ge=2, le=MOST_DRAWN)
    with_margin: bool = False


class Gp(Sampler):
    """Optuna's GPSampler: Gaussian processes."""

    name = "gp"
    optunas = "GPSampler"
    learns_from_pruned = True
    needs = "torch"
    extras: ClassVar[Mapping[str, Any]] = {"warn_independent_sampling": False}
    n_startup_trials: Count = 10
    deterministic_objective: bool = False


class Nsga2(Sampler):
    """Optuna's NSGAIISampler: a genetic algorithm."""

    name = "nsga2"
    optunas = "NSGAIISampler"
    learns_from_pruned = True
    population_size: int = Field(default=20, ge=2, le=MOST_DRAWN)
    mutation_prob: float | None = Field(default=None, ge=0, le=1)
    crossover_prob: float = Field(default=0.9, ge=0, le=1)
    swapping_prob: float = Field(default=0.5, ge=0, le=1)


class BruteForce(Exhaustive):
    """Optuna's BruteForceSampler: every point of a finite space once, in a random order."""

    name = "brute-force"
    optunas = "BruteForceSampler"


#: By name, in the order of the documentation.
SAMPLERS: Registry[type[Sampler]] = Registry(
    "sampler",
    "tuner.samplers",
    (Tpe, Random, Grid, SklearnRandom, Qmc, CmaEs, Gp, Nsga2, BruteForce),
)


def require_packages_of(sampler: BaseSampler) -> None:
    """Raises `DefinitionError` for an object of Optuna's that needs a package which is missing."""
    for kind in SAMPLERS.values():
        if kind.optunas == type(sampler).__name__:
            kind.model_construct().require_packages()


#: A sampler as a field of a definition.
AnySampler = Annotated[
    SerializeAsAny[Sampler], BeforeValidator(by_name(lambda: SAMPLERS, CustomSampler))
]
