"""From a sampler's spec to Optuna's sampler, for one ticket."""

from __future__ import annotations

import hashlib
import warnings
from importlib.util import find_spec

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)

from tuner.errors import DefinitionError
from tuner.spaces.space import Space
from tuner.study.samplers.qmc import TicketQMCSampler
from tuner.study.samplers.specs import (
    BruteForceSpec,
    CmaEsSpec,
    GpSpec,
    Nsga2Spec,
    QmcSpec,
    SamplerSpec,
    TpeSpec,
)

#: Packages beyond Optuna's own that a sampler needs: (module, what to install).
_NEEDS = {"cmaes": ("cmaes", "cmaes"), "gp": ("torch", "torch")}


def require_packages(spec: SamplerSpec) -> None:
    """Raises `DefinitionError` where a package that the sampler needs is not installed."""
    module, package = _NEEDS.get(spec.name, ("", ""))
    if module and find_spec(module) is None:
        raise DefinitionError(
            f"the sampler {spec.name} needs the package {package}, which is not installed. "
            f"Available: pip install {package}, or another sampler: tpe needs nothing "
            "more"
        )


def ticket_seed(seed: int, ticket: int) -> int:
    """The sampler's seed for one ticket of a study, uint32: SHA-256 of `sampler:seed:ticket`.

    A resumed study so draws what it would have drawn, and never what it drew before.
    """
    digest = hashlib.sha256(f"sampler:{seed}:{ticket}".encode()).digest()
    return int.from_bytes(digest[:4], "little")


def build_sampler(spec: SamplerSpec, space: Space, *, seed: int, ticket: int) -> BaseSampler:
    """Optuna's sampler for `spec`, drawing for `ticket` of a study with this seed. `grid` and
    `sklearn-random` draw nothing: their parameters wait in the ticket."""
    own = ticket_seed(seed, ticket)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match spec:
            case TpeSpec():
                return TPESampler(
                    n_startup_trials=spec.n_startup_trials,
                    n_ei_candidates=spec.n_ei_candidates,
                    multivariate=spec.multivariate,
                    group=spec.group and spec.multivariate,
                    constant_liar=spec.constant_liar,
                    seed=own,
                )
            case QmcSpec():
                return TicketQMCSampler(
                    space.distributions(),
                    ticket=ticket,
                    qmc_type=spec.qmc_type,
                    scramble=spec.scramble,
                    seed=seed,
                    independent_sampler=RandomSampler(seed=own),
                )
            case CmaEsSpec():
                return CmaEsSampler(
                    n_startup_trials=spec.n_startup_trials,
                    popsize=spec.popsize,
                    with_margin=spec.with_margin,
                    warn_independent_sampling=False,
                    seed=own,
                )
            case GpSpec():
                return GPSampler(
                    n_startup_trials=spec.n_startup_trials,
                    deterministic_objective=spec.deterministic_objective,
                    warn_independent_sampling=False,
                    seed=own,
                )
            case Nsga2Spec():
                return NSGAIISampler(
                    population_size=spec.population_size,
                    mutation_prob=spec.mutation_prob,
                    crossover_prob=spec.crossover_prob,
                    swapping_prob=spec.swapping_prob,
                    seed=own,
                )
            case BruteForceSpec():
                return BruteForceSampler(seed=own)
            case _:
                return RandomSampler(seed=own)
