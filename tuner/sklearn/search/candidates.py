"""Candidates with the same rows, planned: which of them have the same folds."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tuner.data.dataset import Fold
from tuner.errors import PlanError
from tuner.planning.plan import TrainingPlan
from tuner.sklearn.estimators.base import KerasMLP
from tuner.sklearn.estimators.plan import plan_of
from tuner.sklearn.estimators.training import fold_of
from tuner.sklearn.search.splits import SplitRows


@dataclass(frozen=True, eq=False)
class Candidate:
    """Its number, the estimator with its parameters, the last step, and one seed a split."""

    number: int
    estimator: Any
    final: KerasMLP
    seeds: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FoldGroup:
    """Candidates of equal folds on the same rows: what one `Trainer` trains.

    Attributes:
        folds: one for each of the rows' splits.
        seconds: each fit's share of the time of the steps before.
        plans, seeds: by candidate number; one seed for each of the splits.
    """

    rows: SplitRows
    folds: tuple[Fold, ...]
    seconds: float
    plans: dict[int, TrainingPlan] = field(default_factory=dict)
    seeds: dict[int, tuple[int, ...]] = field(default_factory=dict)


def plan_candidates(
    candidates: Sequence[Candidate], splits: Sequence[SplitRows], seconds: float
) -> list[FoldGroup]:
    """All `candidates` on all `splits`, which took `seconds` to read. Those that make no plan are
    left out."""
    groups: list[FoldGroup] = []
    share = seconds / max(1, len(candidates) * sum(len(own.splits) for own in splits))
    for rows in splits:
        by_folds: dict[Hashable, FoldGroup] = {}
        for candidate in candidates:
            with suppress(PlanError, ValueError):
                plan, seeds, folds = _planned(candidate, rows)
                held_out = any(len(fold.validation) for fold in folds)
                key = (candidate.final.validation_fraction, seeds) if held_out else None
                group = by_folds.setdefault(key, FoldGroup(rows, folds, share))
                group.plans[candidate.number] = plan
                group.seeds[candidate.number] = seeds
        groups += by_folds.values()
    return groups


def _planned(
    candidate: Candidate, rows: SplitRows
) -> tuple[TrainingPlan, tuple[int, ...], tuple[Fold, ...]]:
    """The plan, and a seed and a fold for each of the splits."""
    first = rows.splits[0]
    plan = plan_of(
        candidate.final,
        features=first.x.shape[1],
        outputs=first.targets.outputs,
        task=first.targets.task,
        classes=first.targets.classes,
        numbers=first.numbers,
    )
    seeds = tuple(candidate.seeds[split.number] for split in rows.splits)
    fraction = candidate.final.validation_fraction
    folds = []
    for split, own, seed in zip(rows.splits, rows.rows, seeds, strict=True):
        fold = fold_of(plan, split.targets, fraction, seed)
        folds.append(Fold(train=own[fold.train], validation=own[fold.validation]))
    return plan, seeds, tuple(folds)
