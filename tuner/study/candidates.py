"""Samplers whose candidates are known before anything runs: scikit-learn's, in its order."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from tuner.errors import DefinitionError
from tuner.limits import MOST_TRIALS
from tuner.parameters.kinds import Seed
from tuner.spaces.space import Space
from tuner.study.sampler import Candidate, Exhaustive, Sampler, ticket_seed


class ReadyCandidates(Sampler):
    """Its trials are not pruned and its folds are scikit-learn's own, rows in order, unless a
    definition says otherwise. What `build` gives draws nothing: parameters wait in the ticket."""

    ready = True

    @classmethod
    def brings(cls) -> dict[str, Any]:
        return {**super().brings(), "pruner": {"name": "none"}, "folds.shuffle": False}

    def arguments(self) -> dict[str, Any]:
        return {}

    def replaces(self, space: Space) -> bool:
        """Whether a candidate may be drawn again."""
        return False

    @abstractmethod
    def all_candidates(self, space: Space, seed: int, total: int) -> Iterable[Mapping[str, Any]]:
        """The candidates of a study of `total` trials; those for a smaller total need not be
        among the first of them."""

    def candidates(
        self,
        space: Space,
        *,
        seed: int,
        total: int,
        queued: Sequence[Mapping[str, Any]],
        first: Sequence[Mapping[str, Any]] = (),
    ) -> list[Candidate]:
        found = [_plain(candidate) for candidate in self.all_candidates(space, seed, total)]
        ahead = self.firsts(space, first, seed=seed)
        if not self.replaces(space):
            found = [candidate for candidate in found if candidate not in ahead]
        others = [dict(candidate) for candidate in queued]
        new = []
        for candidate in ahead:
            if candidate in others:
                others.remove(candidate)
            else:
                new.append(candidate)
        # ParameterSampler's candidates for a larger n_iter begin with those for a smaller one if
        # it draws with replacement. If not, those not yet queued follow in their order.
        if found[: len(others)] == others:
            new += found[len(others) :]
        else:
            for candidate in others:
                if candidate in found:
                    found.remove(candidate)
            new += found
        new = new[: total - len(queued)]
        complete = [(space.complete(candidate), candidate) for candidate in new]
        return [{name: whole[name] for name in candidate} for whole, candidate in complete]


class Grid(ReadyCandidates, Exhaustive):
    """All candidates of scikit-learn's ParameterGrid, in its order."""

    name = "grid"

    def all_candidates(self, space: Space, seed: int, total: int) -> Iterable[Mapping[str, Any]]:
        from sklearn.model_selection import ParameterGrid

        return islice(ParameterGrid(space.grid()), total)

    def firsts(
        self, space: Space, points: Sequence[Mapping[str, Any]], *, seed: int
    ) -> list[Candidate]:
        """All candidates that agree with a point."""
        if not points:
            return []
        whole = [_plain(candidate) for candidate in self.all_candidates(space, seed, MOST_TRIALS)]
        agree = [own for point in points for own in whole if point.items() <= own.items()]
        return [own for number, own in enumerate(agree) if own not in agree[:number]]


class SklearnRandom(ReadyCandidates):
    """The candidates of scikit-learn's ParameterSampler with n_iter = the study's trials, in its
    order; `random_state` none: the study's seed."""

    name = "sklearn-random"
    random_state: Seed | None = None

    def total(self, space: Space, stated: int | None, asked: int | None) -> int:
        total, size = super().total(space, stated, asked), space.size()
        if size is None or not _all_lists(space):
            return total
        if asked is not None and asked > size:
            raise DefinitionError(
                f"{self.name} draws from lists without replacement; space {space.name} has "
                f"{size} points, {asked} trials were asked for. Available: at most {size}"
            )
        return min(total, size)

    def replaces(self, space: Space) -> bool:
        return not _all_lists(space)

    def firsts(
        self, space: Space, points: Sequence[Mapping[str, Any]], *, seed: int
    ) -> list[Candidate]:
        """The points; what one leaves open is drawn evenly."""
        from optuna import create_study
        from optuna.samplers import RandomSampler

        drawn: list[Candidate] = []
        for number, point in enumerate(points):
            study = create_study(sampler=RandomSampler(seed=ticket_seed(seed, number)))
            study.enqueue_trial(dict(point))
            trial = study.ask()
            space.suggest(trial)
            if trial.params not in drawn:
                drawn.append(trial.params)
        return drawn

    def all_candidates(self, space: Space, seed: int, total: int) -> Iterable[Mapping[str, Any]]:
        from sklearn.model_selection import ParameterSampler

        state = seed if self.random_state is None else self.random_state
        return ParameterSampler(space.random(), n_iter=total, random_state=state)


def _all_lists(space: Space) -> bool:
    return all(isinstance(value, list) for part in space.random() for value in part.values())


def _plain(candidate: Mapping[str, Any]) -> Candidate:
    return {k: v.item() if hasattr(v, "item") else v for k, v in candidate.items()}
