"""A sampler that somebody gives as an object of Optuna's, and not by a name."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from tuner.study.sampler import Drawable, Sampler, ticket_seed

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from tuner.spaces.space import Space

#: How deep random numbers are looked for: a sampler may hold samplers, these their parts.
_DEPTH = 8


class CustomSampler(Sampler):
    """An object of Optuna's, or of a class like it, that came with the study's code; `type`: its
    class, for people; `points`: how many a grid has, each of which is tried once.

    Each worker has a copy of its own. What a sampler learns from the study's trials it learns
    from those of all workers, as they are in the storage; what it keeps in its attributes stays
    in its process.
    """

    name = "custom"
    learns_from_pruned: ClassVar[bool] = True
    type: str
    points: int | None = None
    _object: BaseSampler | None = PrivateAttr(None)

    @classmethod
    def of(cls, sampler: BaseSampler) -> CustomSampler:
        """What stands for an object in a definition."""
        from optuna.samplers import GridSampler

        points = sampler._n_min_trials if isinstance(sampler, GridSampler) else None
        return cls(type=type(sampler).__qualname__, points=points)

    def total(self, space: Space, stated: int | None, asked: int | None) -> int:
        total = super().total(space, stated, asked)
        if self.points is None:
            return total
        return min(asked or stated or self.points, self.points)

    def holding(self, sampler: BaseSampler) -> CustomSampler:
        """The same, with the object."""
        made = self.model_copy()
        made._object = sampler
        return made

    def build(self, space: Drawable, *, seed: int, ticket: int) -> BaseSampler:
        """The object itself, its random numbers begun anew for the ticket."""
        assert self._object is not None, "its code is not loaded"
        reseed(self._object, ticket_seed(seed, ticket))
        return self._object


def reseed(sampler: BaseSampler, seed: int) -> None:
    """Begin all random numbers that a sampler draws from with `seed`, as Optuna's samplers do
    when they are made with one.

    They are found in its attributes and those of the objects in these: NumPy's, Python's and
    Optuna's own. Else workers, who have copies, would draw the same points.
    """
    met: set[int] = set()

    def look(value: Any, depth: int) -> None:
        if depth == 0 or id(value) in met or isinstance(value, type | np.ndarray | str):
            return
        met.add(id(value))
        if isinstance(value, np.random.RandomState | random.Random):
            value.seed(seed)
        elif isinstance(value, np.random.Generator):
            bits = value.bit_generator
            bits.state = type(bits)(seed).state
        elif type(value).__name__ == "LazyRandomState":
            value.rng.seed(seed)
        elif isinstance(value, dict):
            for item in value.values():
                look(item, depth - 1)
        elif isinstance(value, list | tuple):
            for item in value:
                look(item, depth - 1)
        elif hasattr(value, "__dict__"):
            for item in list(vars(value).values()):
                look(item, depth - 1)

    look(sampler, _DEPTH)
