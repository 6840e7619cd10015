"""The sampler of docs/search.md."""

from __future__ import annotations

from pydantic import Field

from tuner.study.samplers import Sampler


class Nsga3(Sampler):
    """Optuna's NSGAIIISampler: a genetic algorithm with reference points."""

    name = "nsga3"
    optunas = "NSGAIIISampler"
    learns_from_pruned = True
    population_size: int = Field(default=20, ge=2)
