"""What a sampler is: a name, settings, how many trials there are, and what draws for each."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from tuner.errors import DefinitionError, SpaceError
from tuner.spaces.space import Space
from tuner.study.named import Named

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

#: Trials of a study that says nothing, if its space is not gone through as a whole.
DEFAULT_TRIALS = 40

#: A point of a space: its varying parameters, as plain Python's values.
Candidate = dict[str, Any]


class Drawable(Protocol):
    """All that Optuna's samplers see of a space."""

    def distributions(self) -> Mapping[str, BaseDistribution]: ...


class Sampler(Named):
    """Draws the parameters of a ticket when somebody begins it.

    Another package adds one by an entry point of the group `tuner.samplers`.

    Attributes:
        ready: its candidates are known before anything runs, and nothing that happens in a trial
            changes another. `candidates` gives them.
        learns_from_pruned: so that a trial that diverged is told as pruned, not as failed.
        several: whether it takes several objectives.
        needs: a package that it needs beside Optuna.
        optunas: the class in `optuna.samplers` that `build` makes.
        extras: what that class takes besides the settings and the seed.
    """

    ready: ClassVar[bool] = False
    learns_from_pruned: ClassVar[bool] = False
    several: ClassVar[bool] = True
    needs: ClassVar[str | None] = None
    optunas: ClassVar[str] = "RandomSampler"
    extras: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def summary(cls) -> str:
        return super().summary() + (f" Needs `{cls.needs}`." if cls.needs else "")

    @classmethod
    def brings(cls) -> dict[str, Any]:
        """What `StudyDefinition.override` sets with this sampler, unless told otherwise."""
        return {}

    def require_packages(self) -> None:
        """Raises `DefinitionError` if a package that the sampler needs is not installed."""
        if self.needs is not None and find_spec(self.needs) is None:
            raise DefinitionError(
                f"the sampler {self.name} needs the package {self.needs}, which is not installed. "
                f"Available: pip install {self.needs}, or another sampler: tpe needs nothing more"
            )

    def total(self, space: Space, stated: int | None, asked: int | None) -> int:
        """How many trials a study has in all.

        Args:
            stated: the definition's own number; None: 40, or all points if they are gone through.
            asked: a number somebody asks for now; None leaves it to the definition.

        Raises:
            DefinitionError: more trials were asked for than there are points to try.
            SpaceError: the sampler needs finite steps and the space has none.
        """
        return asked or stated or DEFAULT_TRIALS

    def firsts(
        self, space: Space, points: Sequence[Mapping[str, Any]], *, seed: int
    ) -> list[Candidate]:
        """The parameters of the tickets that `points` become. What one leaves open is drawn when
        the ticket begins, if the sampler is not `ready`."""
        return [dict(point) for point in points]

    def candidates(
        self,
        space: Space,
        *,
        seed: int,
        total: int,
        queued: Sequence[Mapping[str, Any]],
        first: Sequence[Mapping[str, Any]] = (),
    ) -> list[Candidate]:
        """Of a sampler that is `ready`: the candidates of tickets `len(queued)` to `total` - 1.

        Args:
            seed: the study's.
            queued: the candidates of the tickets before.
            first: points that come before all others, see `firsts`.

        Raises `SpaceError` for a candidate that the space does not allow.
        """
        raise NotImplementedError(f"{self.name} draws a ticket's parameters when it begins")

    def build(self, space: Drawable, *, seed: int, ticket: int) -> BaseSampler:
        """Optuna's sampler, drawing for `ticket` of a study with this seed."""
        from optuna import samplers
        from optuna.exceptions import ExperimentalWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            kind = getattr(samplers, self.optunas)
            made: BaseSampler = kind(**self.arguments(), seed=ticket_seed(seed, ticket))
        return made

    def arguments(self) -> dict[str, Any]:
        """What Optuna's class takes beside the seed."""
        return {**dict(self), **self.extras}


class Exhaustive(Sampler):
    """Goes through a finite space once: its number of trials is the number of the points."""

    @classmethod
    def brings(cls) -> dict[str, Any]:
        return {"trials": None, **super().brings()}

    def total(self, space: Space, stated: int | None, asked: int | None) -> int:
        size = space.size()
        if size is None:
            space.grid()  # says which parameter has no steps
            raise SpaceError(f"space {space.name}: {self.name} needs finite steps")
        if asked is not None and asked > size:
            raise DefinitionError(
                f"{self.name} tries every point of a space once; space {space.name} has {size}, "
                f"{asked} trials were asked for. Available: at most {size}, or another sampler"
            )
        return min(asked or stated or size, size)


def ticket_seed(seed: int, ticket: int) -> int:
    """The sampler's seed for one ticket of a study, uint32: SHA-256 of `sampler:seed:ticket`.

    A resumed study so draws what it would have drawn, and never what it drew before.
    """
    digest = hashlib.sha256(f"sampler:{seed}:{ticket}".encode()).digest()
    return int.from_bytes(digest[:4], "little")
