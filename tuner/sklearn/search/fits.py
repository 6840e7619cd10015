"""All fits of a search, trained in stacks: which ones, when, and what each of them became."""

from __future__ import annotations

import copy
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sklearn.base import clone

from tuner.sklearn.estimators.training import draw_seed
from tuner.sklearn.search.candidates import Candidate, FoldGroup, plan_candidates
from tuner.sklearn.search.fold_groups import Fit, train_groups
from tuner.sklearn.search.pipeline_steps import (
    FittedSteps,
    final_estimator,
    fit_steps,
    reads_whole,
    steps_key,
)
from tuner.sklearn.search.splits import (
    Split,
    SplitRows,
    read_split,
    read_whole,
    rows_of_splits,
)
from tuner.sklearn.search.trained_network import TrainedNetwork
from tuner.sklearn.search.watching import Watch


class SplitCache:
    """The splits of a search as the candidates' last step reads them; the last pipeline's are
    kept for the next candidate that begins alike."""

    def __init__(
        self, splits: Sequence[Any], X: Any, y: Any, fit_params: Mapping[str, Any]
    ) -> None:
        self.count = len(splits)
        self._splits = splits
        self._X, self._y, self._fit_params = X, y, fit_params
        self._kept: tuple[str, list[SplitRows]] | None = None

    def read(self, key: str, estimator: Any) -> tuple[list[SplitRows], float]:
        """The splits that can train in stacks, and the seconds that reading took now."""
        if self._kept is not None and self._kept[0] == key:
            return self._kept[1], 0.0
        started = time.perf_counter()
        self._kept = None
        splits = rows_of_splits(self._read(estimator))
        self._kept = (key, splits)
        return splits, time.perf_counter() - started

    def _read(self, estimator: Any) -> list[Split]:
        """A step that fails, or rows that cannot be read, leave the split to the estimator's own
        `fit`, which fails with scikit-learn's handling."""
        final: Any = final_estimator(estimator)
        steps: dict[int, FittedSteps] = {}
        for number, (train, _) in enumerate(self._splits):
            with suppress(Exception):
                steps[number] = fit_steps(estimator, self._X, self._y, train, self._fit_params)
        splits: list[Split] = []
        if reads_whole(estimator):
            with suppress(ValueError, TypeError):
                splits = read_whole(steps, self._X, self._y, final)
            return splits
        for number, own in steps.items():
            with suppress(ValueError, TypeError):
                splits.append(read_split(number, own, final))
        return splits


#: As stacks end.
Fits = Generator[Fit, None, None]


class StackedFits:
    """The fits of `candidates` on all splits, by evaluation number `candidate * splits + split`.

    Nothing trains before it is asked for; then all candidates that share what a pipeline does
    before its last step train, and whoever asks waits for no stack but the fit's own. What a stack
    cannot train is left to the estimator's own `fit`: combinations that make no plan, splits that
    lack a class, other estimators.

    Args:
        estimator: bare or a pipeline; not changed.
        watch: of what trains.
        jobs: stacks that train at a time.

    Attributes:
        seconds: per evaluation that was trained here, its share of its stack's time; else None.
    """

    def __init__(
        self,
        estimator: Any,
        candidates: Sequence[Mapping[str, Any]],
        cache: SplitCache,
        *,
        watch: Watch | None = None,
        jobs: int = 1,
    ) -> None:
        self._jobs = jobs
        self._cache = cache
        self._watch = watch
        self._alike: dict[str, list[Candidate]] = {}
        self._key_of: dict[int, str] = {}
        self._candidates = len(candidates)
        self.seconds: list[float | None] = [None] * (len(candidates) * cache.count)
        self._networks: dict[int, TrainedNetwork | Exception] = {}
        #: Of the candidates at work: their key, and what still trains.
        self._at_work: tuple[str, Fits] = ("", _nothing())
        self._plans: dict[str, list[FoldGroup]] = {}
        for number, params in enumerate(candidates):
            candidate = candidate_of(estimator, number, params, cache.count)
            if candidate is not None:
                key = steps_key(estimator, params, candidate.final)
                self._alike.setdefault(key, []).append(candidate)
                self._key_of[number] = key

    def stacked_splits(self) -> set[int]:
        """The splits in which stacks train every candidate, if that is known beforehand: if
        all candidates do the same before the last step."""
        if len(self._alike) != 1 or len(self._key_of) < self._candidates:
            return set()
        (key,) = self._alike
        planned = Counter(
            split.number for own in self._plan(key) for split in own.rows.splits * len(own.plans)
        )
        return {split for split, count in planned.items() if count == self._candidates}

    def has(self, task: int) -> bool:
        key = self._key_of.get(task // self._cache.count)
        if key in self._alike:
            self._begin(key)
        while task not in self._networks and key == self._at_work[0] and self._advance():
            pass
        return task in self._networks

    def network(self, task: int) -> TrainedNetwork:
        """What evaluation `task` became; until it is installed. Raises what its stack raised."""
        network = self._networks[task]
        if isinstance(network, Exception):
            raise network
        return network

    def install(self, task: int, estimator: Any) -> None:
        network = self.network(task)
        del self._networks[task]
        self.seconds[task] = network.seconds
        network.install(estimator)

    def close(self) -> None:
        """End what still trains: nobody will ask for it any more."""
        key, fits = self._at_work
        self._at_work = key, _nothing()
        # Its pool of threads has to be waited for here, not wherever Python collects it.
        fits.close()

    def _plan(self, key: str) -> list[FoldGroup]:
        """What trains the candidates of `key`."""
        if key not in self._plans:
            candidates = self._alike[key]
            splits, seconds = self._cache.read(key, candidates[0].estimator)
            self._plans[key] = plan_candidates(candidates, splits, seconds)
        return self._plans[key]

    def _begin(self, key: str) -> None:
        """Train those of `key`, after what still trains of those before: one pool of threads."""
        while self._advance():
            pass
        groups = self._plan(key)
        del self._plans[key]
        verbose = any(own.final.verbose for own in self._alike.pop(key))
        fits = train_groups(groups, verbose=verbose, jobs=self._jobs, watch=self._watch)
        self._at_work = key, fits

    def _advance(self) -> bool:
        """Take the next fit; False if nothing trains."""
        for number, split, network in self._at_work[1]:
            self._networks[number * self._cache.count + split] = network
            return True
        return False


def _nothing() -> Fits:
    yield from ()


def candidate_of(
    estimator: Any, number: int, params: Mapping[str, Any], splits: int
) -> Candidate | None:
    """The candidate with a seed for each split, drawn as each split's own `fit` would draw it;
    None if it is no estimator of ours, scikit-learn will refuse its parameters, or callbacks of its
    own watch its fits."""
    try:
        own = clone(estimator).set_params(**clone(dict(params), safe=False))
        final = final_estimator(own)
        if final is None or hasattr(own, "_skl_callbacks") or hasattr(final, "_skl_callbacks"):
            return None
        # A RandomState is copied with the estimator, for every fit.
        seeds = tuple(draw_seed(copy.deepcopy(final.random_state)) for _ in range(splits))
    except Exception:
        return None
    return Candidate(number, own, final, seeds)
