"""A split's rows as the network's estimator reads them, and splits that can share a dataset."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from tuner.data.dataset import Dataset
from tuner.sklearn.estimators.base import KerasMLP
from tuner.sklearn.estimators.targets import Targets, to_dataset
from tuner.sklearn.estimators.training import row_weights
from tuner.sklearn.search.pipeline_steps import FittedSteps


@dataclass(frozen=True, eq=False)
class Split:
    """What the estimator's `fit` would train on in one split.

    Attributes:
        number: of the split.
        steps: what is done before the last step, and its rows.
        x: `(n, features)`; `steps.rows` of them are the split's.
        targets: of the split's rows, in the order of `steps.rows`.
        weight: likewise; None: 1.
        attributes: what reading rows leaves on an estimator: `n_features_in_`, `classes_`, ...
    """

    number: int
    steps: FittedSteps
    x: NDArray[Any]
    targets: Targets
    weight: NDArray[np.float32] | None
    attributes: Mapping[str, Any]

    @property
    def kind(self) -> Hashable:
        """Splits of one kind can be rows of one dataset."""
        classes = self.targets.classes
        labels = None if classes is None else (classes.dtype.str, *classes.tolist())
        own = (self.targets.task, self.targets.outputs, self.targets.flat)
        form = (self.x.shape[1], self.x.dtype.str, self.numbers)
        return labels, own, form, self.weight is None

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """Which of the network's inputs are numbers; None: all."""
        columns = self.attributes["columns_"]
        return None if columns is None else columns.encoding.numbers


def read_split(number: int, steps: FittedSteps, final: KerasMLP) -> Split:
    """A split whose rows are its own. Raises what `fit` would raise."""
    reader = clone(final)
    x, targets = reader.read(steps.X, steps.y, reset=True)
    return _split(number, steps, x, targets, reader, final)


def read_whole(steps: Mapping[int, FittedSteps], X: Any, y: Any, final: KerasMLP) -> list[Split]:
    """Splits whose rows are those of the search, read once.

    Splits whose training rows lack a class are left out: their networks have other outputs.
    Raises what `fit` would raise.
    """
    reader = clone(final)
    x, whole = reader.read(X, y, reset=True)
    splits = []
    for number, own in steps.items():
        targets = replace(whole, y=whole.y[own.rows])
        if whole.task in ("binary", "multiclass"):
            assert whole.classes is not None
            if len(np.unique(targets.y)) < len(whole.classes):
                continue
        splits.append(_split(number, own, x, targets, reader, final))
    return splits


def _split(
    number: int,
    steps: FittedSteps,
    x: NDArray[Any],
    targets: Targets,
    reader: KerasMLP,
    final: KerasMLP,
) -> Split:
    extra = dict(steps.fit_params)
    sample_weight = extra.pop("sample_weight", None)
    if extra:
        raise TypeError(f"fit() got an unexpected keyword argument {next(iter(extra))!r}")
    weight = row_weights(sample_weight, x[: len(steps.rows)])
    if weight is not None:
        reader._check_weights(weight, targets)
    before = vars(final)
    attributes = {name: value for name, value in vars(reader).items() if name not in before}
    return Split(number, steps, x, targets, weight, attributes)


@dataclass(frozen=True, eq=False)
class SplitRows:
    """Splits of one kind, as rows of one dataset: `rows[i]` are those of `splits[i]`."""

    splits: tuple[Split, ...]
    dataset: Dataset
    rows: tuple[NDArray[np.int32], ...]
    weight: NDArray[np.float32] | None


def rows_of_splits(splits: Sequence[Split]) -> list[SplitRows]:
    """All splits, in as few datasets as their kinds allow."""
    kinds: dict[Hashable, list[Split]] = {}
    for split in splits:
        kinds.setdefault(split.kind, []).append(split)
    return [_split_rows(own) for own in kinds.values()]


def _split_rows(splits: Sequence[Split]) -> SplitRows:
    first = splits[0]
    if all(split.x is first.x for split in splits):
        x = first.x
        rows = [split.steps.rows for split in splits]
    else:
        x = np.concatenate([split.x for split in splits])
        starts = np.cumsum([0, *(len(split.x) for split in splits)])
        rows = [
            (split.steps.rows + start).astype(np.int32)
            for split, start in zip(splits, starts, strict=False)
        ]
    y = np.zeros((len(x), *first.targets.y.shape[1:]), first.targets.y.dtype)
    weight = None if first.weight is None else np.ones(len(x), np.float32)
    for split, own in zip(splits, rows, strict=True):
        y[own] = split.targets.y
        if weight is not None:
            weight[own] = split.weight
    dataset = to_dataset(x, replace(first.targets, y=y))
    return SplitRows(tuple(splits), dataset, tuple(rows), weight)
