"""Samplers as a study definition names them: `sampler: {name: tpe, n_startup_trials: 20}`.

Settings have Optuna's names (scikit-learn's for `sklearn-random`). Seeds are never given here:
they follow from the study's seed and the ticket.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field

from tuner.errors import unknown


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TpeSpec(_Spec):
    """Optuna's TPESampler. `group` models the parameters of each branch of a conditional space
    together; `constant_liar` keeps several workers from trying neighbouring points at a time."""

    name: Literal["tpe"]
    n_startup_trials: int = Field(default=10, ge=1)
    n_ei_candidates: int = Field(default=24, ge=1)
    multivariate: bool = True
    group: bool = True
    constant_liar: bool = True


class RandomSpec(_Spec):
    """Optuna's RandomSampler."""

    name: Literal["random"]


class GridSpec(_Spec):
    """All candidates of scikit-learn's ParameterGrid, in its order."""

    name: Literal["grid"]


class SklearnRandomSpec(_Spec):
    """The candidates of scikit-learn's ParameterSampler with n_iter = the study's trials, in its
    order; `random_state` None: the study's seed."""

    name: Literal["sklearn-random"]
    random_state: int | None = Field(default=None, ge=0, lt=2**32)


class QmcSpec(_Spec):
    """A low-discrepancy sequence (Optuna's QMCSampler); ticket t takes its point t, whoever
    works on it."""

    name: Literal["qmc"]
    qmc_type: Literal["sobol", "halton"] = "sobol"
    scramble: bool = True


class CmaEsSpec(_Spec):
    """Optuna's CmaEsSampler, for numeric parameters; others are drawn at random. Needs cmaes."""

    name: Literal["cmaes"]
    n_startup_trials: int = Field(default=1, ge=1)
    popsize: int | None = Field(default=None, ge=2)
    with_margin: bool = False


class GpSpec(_Spec):
    """Optuna's GPSampler: Gaussian processes. Needs torch."""

    name: Literal["gp"]
    n_startup_trials: int = Field(default=10, ge=1)
    deterministic_objective: bool = False


class Nsga2Spec(_Spec):
    """Optuna's NSGAIISampler: a genetic algorithm."""

    name: Literal["nsga2"]
    population_size: int = Field(default=20, ge=2)
    mutation_prob: float | None = Field(default=None, ge=0, le=1)
    crossover_prob: float = Field(default=0.9, ge=0, le=1)
    swapping_prob: float = Field(default=0.5, ge=0, le=1)


class BruteForceSpec(_Spec):
    """Optuna's BruteForceSampler: every point of a finite space once, in a random order."""

    name: Literal["brute-force"]


_Any = (
    TpeSpec
    | RandomSpec
    | GridSpec
    | SklearnRandomSpec
    | QmcSpec
    | CmaEsSpec
    | GpSpec
    | Nsga2Spec
    | BruteForceSpec
)

#: Every name, in the order of the documentation.
SAMPLERS: tuple[str, ...] = (
    "tpe",
    "random",
    "grid",
    "sklearn-random",
    "qmc",
    "cmaes",
    "gp",
    "nsga2",
    "brute-force",
)

#: These queue ready candidates; nothing that happens in a trial changes another.
CANDIDATE_SAMPLERS = ("grid", "sklearn-random")
#: These go through a finite space once: their number of trials is the number of its points.
EXHAUSTIVE_SAMPLERS = ("grid", "brute-force")
#: These learn from pruned trials as well, so that a diverged one is told as pruned.
MODEL_SAMPLERS = ("tpe", "cmaes", "gp", "nsga2")


def _named(data: Any) -> Any:
    """A bare name stands for the sampler with its defaults."""
    if isinstance(data, str):
        data = {"name": data}
    if isinstance(data, dict) and data.get("name") not in SAMPLERS:
        raise ValueError(unknown("sampler", data.get("name"), SAMPLERS))
    return data


SamplerSpec = Annotated[_Any, Discriminator("name"), BeforeValidator(_named)]
