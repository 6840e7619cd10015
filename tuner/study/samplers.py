"""Samplers by name: `sampler: {name: tpe, n_startup_trials: 20}`.

Settings have Optuna's names (scikit-learn's for `sklearn-random`). Seeds are never given here:
they follow from the study's seed and the ticket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from tuner.registry import Registry
from tuner.study.candidates import Grid, SklearnRandom
from tuner.study.named import by_name
from tuner.study.sampler import Drawable, Exhaustive, Sampler, ticket_seed

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


class Tpe(Sampler):
    """Optuna's TPESampler.

    `group` models the parameters of each branch of a conditional space together;
    `constant_liar` keeps several workers from trying neighbouring points at a time.
    """

    name = "tpe"
    learns_from_pruned = True
    n_startup_trials: int = Field(default=10, ge=1)
    n_ei_candidates: int = Field(default=24, ge=1)
    multivariate: bool = True
    group: bool = True
    constant_liar: bool = True

    def make(self, seed: int) -> BaseSampler:
        from optuna.samplers import TPESampler

        settings = {**dict(self), "group": self.group and self.multivariate}
        return TPESampler(**settings, seed=seed)


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
        from tuner.study.ticket_qmc import TicketQMCSampler

        # What the sequence leaves out, parameters that are not in every trial, is drawn.
        return TicketQMCSampler(
            space.distributions(),
            ticket=ticket,
            seed=seed,
            independent_sampler=self.make(ticket_seed(seed, ticket)),
            **dict(self),
        )


class CmaEs(Sampler):
    """Optuna's CmaEsSampler, for numeric parameters; others are drawn at random."""

    name = "cmaes"
    learns_from_pruned = True
    needs = "cmaes"
    n_startup_trials: int = Field(default=1, ge=1)
    popsize: int | None = Field(default=None, ge=2)
    with_margin: bool = False

    def make(self, seed: int) -> BaseSampler:
        from optuna.samplers import CmaEsSampler

        return CmaEsSampler(**dict(self), warn_independent_sampling=False, seed=seed)


class Gp(Sampler):
    """Optuna's GPSampler: Gaussian processes."""

    name = "gp"
    learns_from_pruned = True
    needs = "torch"
    n_startup_trials: int = Field(default=10, ge=1)
    deterministic_objective: bool = False

    def make(self, seed: int) -> BaseSampler:
        from optuna.samplers import GPSampler

        return GPSampler(**dict(self), warn_independent_sampling=False, seed=seed)


class Nsga2(Sampler):
    """Optuna's NSGAIISampler: a genetic algorithm."""

    name = "nsga2"
    learns_from_pruned = True
    population_size: int = Field(default=20, ge=2)
    mutation_prob: float | None = Field(default=None, ge=0, le=1)
    crossover_prob: float = Field(default=0.9, ge=0, le=1)
    swapping_prob: float = Field(default=0.5, ge=0, le=1)

    def make(self, seed: int) -> BaseSampler:
        from optuna.samplers import NSGAIISampler

        return NSGAIISampler(**dict(self), seed=seed)


class BruteForce(Exhaustive):
    """Optuna's BruteForceSampler: every point of a finite space once, in a random order."""

    name = "brute-force"

    def make(self, seed: int) -> BaseSampler:
        from optuna.samplers import BruteForceSampler

        return BruteForceSampler(seed=seed)


#: By name, in the order of the documentation.
SAMPLERS: Registry[type[Sampler]] = Registry(
    "sampler",
    "tuner.samplers",
    (Tpe, Random, Grid, SklearnRandom, Qmc, CmaEs, Gp, Nsga2, BruteForce),
)

#: A sampler as a field of a definition.
AnySampler = Annotated[SerializeAsAny[Sampler], BeforeValidator(by_name(lambda: SAMPLERS))]
