"""What nested cross-validation says of a study: promised scores beside those on rows not seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tuner.errors import UsageError
from tuner.results.ranking import Choice
from tuner.results.trials import maximizes, objective_metric
from tuner.search.tickets import read_counts
from tuner.storage import records
from tuner.study.stored import load_study

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study


@dataclass(frozen=True)
class Chosen:
    """The trial that a rule chose in one outer fold.

    Attributes:
        trial: its number in the outer fold's study.
        inner: its mean over the inner folds, which is what the search promises.
        outer: of its settings refitted on all of the outer fold's training rows, on its test rows.
        gap: by how much `outer` is worse than `inner`.
    """

    trial: int
    inner: float
    outer: float
    gap: float


@dataclass(frozen=True)
class OuterScores:
    """Attributes: `rows` and `test_rows` of outer fold `fold`, how many trials its search had, and
    by rule what it chose."""

    fold: int
    trials: int
    rows: int
    test_rows: int
    chosen: Mapping[Choice, Chosen]


@dataclass(frozen=True)
class Summary:
    """Means over the outer folds of what one rule chose.

    Attributes:
        std: of the outer scores, population standard deviation.
        standard_error: of the outer mean, s / sqrt(K) with the sample standard deviation s.
        gap: the mean gap, the overtuning: above 0 if the search promises too much.
    """

    inner: float
    outer: float
    std: float
    standard_error: float
    gap: float


@dataclass(frozen=True)
class Nested:
    """Outer scores of a study as far as they are known.

    Attributes:
        metric: what they are scores of.
        count: how many outer folds there shall be.
        folds: those that are scored.
    """

    metric: str
    count: int
    folds: tuple[OuterScores, ...]

    @property
    def rules(self) -> tuple[Choice, ...]:
        """Those that every scored fold was chosen by, best first."""
        names: tuple[Choice, ...] = ("best", "one-se")
        return tuple(own for own in names if all(own in fold.chosen for fold in self.folds))

    def summary(self, rule: Choice = "best") -> Summary | None:
        """None before all outer folds are scored."""
        if len(self.folds) < self.count or rule not in self.rules:
            return None
        own = [fold.chosen[rule] for fold in self.folds]
        outer = [one.outer for one in own]
        mean, number = math.fsum(outer) / len(own), len(own)
        squares = math.fsum((score - mean) ** 2 for score in outer)
        return Summary(
            inner=math.fsum(one.inner for one in own) / number,
            outer=mean,
            std=math.sqrt(squares / number),
            standard_error=math.sqrt(squares / (number - 1) / number),
            gap=math.fsum(one.gap for one in own) / number,
        )


def nested_of(study: Study) -> Nested | None:
    """The outer scores that are kept with a study; None if there are none."""
    held = study.user_attrs.get(records.STUDY_NESTED)
    if not isinstance(held, dict):
        return None
    sign = 1.0 if maximizes(study) else -1.0
    folds = []
    for entry in sorted(held["folds"], key=lambda own: own["fold"]):
        chosen = {
            rule: Chosen(
                own["trial"], own["inner"], own["outer"], sign * (own["inner"] - own["outer"])
            )
            for rule, own in entry["chosen"].items()
        }
        rest = {name: entry[name] for name in ("fold", "trials", "rows", "test_rows")}
        folds.append(OuterScores(**rest, chosen=chosen))
    return Nested(objective_metric(study), held["count"], tuple(folds))


def nested_data(nested: Nested) -> dict[str, Any]:
    """For programs: `count`, `metric`, by rule the summary, and a row an outer fold."""
    whole = asdict(nested)
    for rule in nested.rules:
        summary = nested.summary(rule)
        whole[rule] = None if summary is None else asdict(summary)
    return whole


def outer_left(storage: BaseStorage | None, name: str, count: int, total: int) -> int:
    """How many trials are to go in the `count` outer folds of study `name`, each of `total`."""
    from tuner.study.nested import outer_name  # takes the models of definitions

    left = 0
    for number in range(count):
        try:
            left += total - read_counts(load_study(storage, outer_name(name, number))).done
        except UsageError:  # not begun
            left += total
    return left
