"""Outer folds are scikit-learn's, and the inner ones are its folds of their training rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import model_selection as sk

from tuner.data import load_dataset
from tuner.data.dataset import Dataset
from tuner.data.folds import FoldSpec, make_folds
from tuner.data.outer import outer_part
from tuner.errors import DataError
from tuner.study.nested import outer_folds

IRIS = load_dataset("sklearn:iris")
DIABETES = load_dataset("sklearn:diabetes")
GROUPS = np.arange(150, dtype=np.int32) * 7 % 30
GIVEN = np.arange(150, dtype=np.int32) % 4


@pytest.mark.parametrize(
    ("dataset", "inner", "outer", "within"),
    [
        (IRIS, FoldSpec(k=4), sk.StratifiedKFold(3), sk.StratifiedKFold(4)),
        (
            IRIS,
            FoldSpec(k=4, shuffle=True, seed=7),
            sk.StratifiedKFold(3, shuffle=True, random_state=7),
            sk.StratifiedKFold(4, shuffle=True, random_state=7),
        ),
        (DIABETES, FoldSpec(k=4), sk.KFold(3), sk.KFold(4)),
        (replace(IRIS, groups=GROUPS), FoldSpec(k=4), sk.GroupKFold(3), sk.GroupKFold(4)),
        (
            DIABETES,
            FoldSpec(kind="time", k=4),
            sk.TimeSeriesSplit(3),
            sk.TimeSeriesSplit(4),
        ),
        (
            IRIS,
            FoldSpec(kind="repeated", k=4, seed=5),
            sk.StratifiedKFold(3, shuffle=True, random_state=5),
            sk.RepeatedStratifiedKFold(n_splits=4, n_repeats=2, random_state=5),
        ),
        (
            DIABETES,
            FoldSpec(kind="holdout", seed=5),
            sk.KFold(3, shuffle=True, random_state=5),
            sk.ShuffleSplit(1, test_size=0.2, random_state=5),
        ),
    ],
    ids=["auto", "shuffled", "kfold", "groups", "time", "repeated", "holdout"],
)
def test_splits_are_those_of_scikit_learn(
    dataset: Dataset, inner: FoldSpec, outer: Any, within: Any
) -> None:
    x, y, groups = dataset.x, dataset.y, dataset.groups
    hashes = set()
    for number, (train, test) in enumerate(outer.split(x, y, groups)):
        part = outer_part(dataset, outer_folds(inner, 3), number)
        assert np.array_equal(part.x, x[train])
        assert np.array_equal(part.y, y[train])
        assert part.x_test is not None
        assert part.y_test is not None
        assert np.array_equal(part.x_test, x[test])
        assert np.array_equal(part.y_test, y[test])
        own = None if groups is None else groups[train]
        folds = make_folds(part, inner)
        expected = within.split(x[train], y[train], own)
        for fold, (fit, validate) in zip(folds, expected, strict=True):
            assert np.array_equal(fold.train, fit)
            assert np.array_equal(fold.validation, validate)
        hashes.add(part.hash)
    assert len({*hashes, dataset.hash}) == 4


def test_named_folds_are_the_outer_ones() -> None:
    named = replace(IRIS, given_folds=GIVEN)
    part = outer_part(named, outer_folds(FoldSpec(), 4), 1)
    assert np.array_equal(part.x, IRIS.x[GIVEN != 1])
    assert len(make_folds(part, FoldSpec())) == 3
    with pytest.raises(DataError, match="received --nested 3 for 4 of them"):
        outer_part(named, outer_folds(FoldSpec(), 3), 1)


def test_a_class_without_rows_to_search_on_is_refused() -> None:
    with pytest.raises(DataError, match="has all rows of 1 classes among its test rows"):
        outer_part(IRIS, FoldSpec(kind="kfold", k=3), 0)  # rows by class
