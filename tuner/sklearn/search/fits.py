"""All fits of a search, trained in stacks: which ones, when, and what each of them became."""

from __future__ import annotations

import copy
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sklearn.base import clone

from tuner.sklearn.estimators.training import draw_seed
from tuner.sklearn.search.final_step import final_estimator
from tuner.sklearn.search.fronts import Front, fit_front, front_key
from tuner.sklearn.search.group_training import Batch, Member, Watch, plan_group, train_group
from tuner.sklearn.search.outcomes import Outcome
from tuner.sklearn.search.splits import Split, read_split, read_whole


class FrontCache:
    """The splits of a search as the candidates' last step reads them; the last pipeline's are
    kept for the next candidate that begins alike."""

    def __init__(
        self, splits: Sequence[Any], X: Any, y: Any, fit_params: Mapping[str, Any]
    ) -> None:
        self.count = len(splits)
        self._splits = splits
        self._X, self._y, self._fit_params = X, y, fit_params
        self._kept: tuple[str, list[Split]] | None = None

    def read(self, key: str, estimator: Any) -> tuple[list[Split], float]:
        """The splits that can train in stacks, and the seconds that reading took now."""
        if self._kept is not None and self._kept[0] == key:
            return self._kept[1], 0.0
        started = time.perf_counter()
        self._kept = None
        splits = self._read(estimator)
        self._kept = (key, splits)
        return splits, time.perf_counter() - started

    def _read(self, estimator: Any) -> list[Split]:
        """A step that fails, or rows that cannot be read, leave the split to the estimator's own
        `fit`, which fails with scikit-learn's handling."""
        final: Any = final_estimator(estimator)
        fronts: dict[int, Front] = {}
        for number, (train, _) in enumerate(self._splits):
            with suppress(Exception):
                fronts[number] = fit_front(estimator, self._X, self._y, train, self._fit_params)
        splits: list[Split] = []
        if final is estimator:
            with suppress(ValueError, TypeError):
                splits = read_whole(fronts, self._X, self._y, final)
            return splits
        for number, front in fronts.items():
            with suppress(ValueError, TypeError):
                splits.append(read_split(number, front, final))
        return splits


#: (candidate, split, outcome) as stacks end.
Trained = Generator[tuple[int, int, Outcome | Exception], None, None]


class StackedFits:
    """The fits of `candidates` on all splits, by evaluation number `candidate * splits + split`.

    Nothing trains before it is asked for; then all candidates that share what a pipeline does
    before its last step train, and whoever asks waits for no stack but the fit's own. What a stack
    cannot train is left to the estimator's own `fit`: combinations that make no plan, splits that
    lack a class, other estimators.

    Args:
        estimator: bare or a pipeline; not changed.
        on_seconds: told (evaluation, share of the stack's time).
        watch: of a single candidate: see `Watch`.
        jobs: stacks that train at a time.
    """

    def __init__(
        self,
        estimator: Any,
        candidates: Sequence[Mapping[str, Any]],
        cache: FrontCache,
        *,
        on_seconds: Callable[[int, float], None],
        watch: Watch | None = None,
        jobs: int = 1,
    ) -> None:
        self._jobs = jobs
        self._cache = cache
        self._on_seconds = on_seconds
        self._watch = watch
        self._groups: dict[str, list[Member]] = {}
        self._group_of: dict[int, str] = {}
        self._candidates = len(candidates)
        self._outcomes: dict[int, Outcome | Exception] = {}
        #: Of the group at work: its key, and what still trains.
        self._at_work: tuple[str, Trained] = ("", _nothing())
        self._plans: dict[str, tuple[list[Batch], float]] = {}
        for number, params in enumerate(candidates):
            member = _member(estimator, number, params, cache.count)
            if member is not None:
                key = front_key(estimator, params)
                self._groups.setdefault(key, []).append(member)
                self._group_of[number] = key

    def stacked_splits(self) -> set[int]:
        """The splits in which stacks train every candidate, where that is known beforehand: where
        all candidates do the same before the last step."""
        if len(self._groups) != 1 or len(self._group_of) < self._candidates:
            return set()
        (key,) = self._groups
        batches, _ = self._plan(key)
        planned = Counter(
            split.number for own in batches for split in own.cohort.splits * len(own.planned)
        )
        return {split for split, count in planned.items() if count == self._candidates}

    def has(self, task: int) -> bool:
        key = self._group_of.get(task // self._cache.count)
        if key in self._groups:
            self._begin(key)
        while task not in self._outcomes and key == self._at_work[0] and self._advance():
            pass
        return task in self._outcomes

    def outcome(self, task: int) -> Outcome:
        """What evaluation `task` became; until it is installed. Raises what its stack raised."""
        outcome = self._outcomes[task]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def install(self, task: int, estimator: Any) -> None:
        outcome = self.outcome(task)
        del self._outcomes[task]
        self._on_seconds(task, outcome.seconds)
        outcome.install(estimator)

    def close(self) -> None:
        """End what still trains, where nobody will ask for it any more."""
        key, trained = self._at_work
        self._at_work = key, _nothing()
        # Its pool of threads has to be waited for here, not wherever Python collects it.
        trained.close()

    def _plan(self, key: str) -> tuple[list[Batch], float]:
        """The group's trainings, and each fit's share of the seconds spent before the last step."""
        if key not in self._plans:
            members = self._groups[key]
            splits, seconds = self._cache.read(key, members[0].estimator)
            share = seconds / max(1, len(members) * len(splits))
            self._plans[key] = plan_group(members, splits), share
        return self._plans[key]

    def _begin(self, key: str) -> None:
        """Train the group, after what still trains of the one before: one pool of threads."""
        while self._advance():
            pass
        batches, share = self._plan(key)
        del self._plans[key]
        members = self._groups.pop(key)
        # What is watched looks at all splits at once.
        watch = self._watch if len({id(own.cohort) for own in batches}) == 1 else None
        verbose = any(member.final.verbose for member in members)
        trained = train_group(batches, verbose, watch, self._jobs)
        self._at_work = (
            key,
            ((number, split, _later(outcome, share)) for number, split, outcome in trained),
        )

    def _advance(self) -> bool:
        """Take the next outcome; False where nothing trains."""
        for number, split, outcome in self._at_work[1]:
            self._outcomes[number * self._cache.count + split] = outcome
            return True
        return False


def _nothing() -> Trained:
    yield from ()


def _later(outcome: Outcome | Exception, seconds: float) -> Outcome | Exception:
    if isinstance(outcome, Exception):
        return outcome
    return replace(outcome, seconds=outcome.seconds + seconds)


def _member(estimator: Any, number: int, params: Mapping[str, Any], splits: int) -> Member | None:
    """The candidate with a seed for each split, drawn as each split's own `fit` would draw it;
    None where it is no estimator of ours, or scikit-learn will refuse its parameters."""
    try:
        own = clone(estimator).set_params(**clone(dict(params), safe=False))
        final = final_estimator(own)
        if final is None:
            return None
        # A RandomState is copied with the estimator, for every fit.
        seeds = tuple(draw_seed(copy.deepcopy(final.random_state)) for _ in range(splits))
    except Exception:
        return None
    return Member(number, own, final, seeds)
