"""Folds against scikit-learn's own splitters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import model_selection as sk

from tuner.data import Dataset, Fold, FoldSpec, load_dataset, make_folds
from tuner.errors import DataError


def dataset(y: np.ndarray, task: str, groups: np.ndarray | None = None) -> Dataset:
    classes = tuple(np.unique(y).tolist()) if task in ("binary", "multiclass") else None
    return Dataset("own", np.zeros((len(y), 2), np.float32), y, task, "0", classes, groups=groups)  # type: ignore[arg-type]


RNG = np.random.default_rng(0)
CLASSES = dataset(np.sort(RNG.integers(0, 3, 60)).astype(np.int32), "multiclass")
VALUES = dataset(RNG.normal(size=(60, 1)).astype(np.float32), "regression")
LABELS = dataset(RNG.integers(0, 2, (60, 3)).astype(np.float32), "multilabel")
GROUPED = replace(CLASSES, groups=RNG.integers(0, 12, 60).astype(np.int32))
GROUPED_VALUES = replace(VALUES, groups=GROUPED.groups)


def same(folds: tuple[Fold, ...], splitter: Any, data: Dataset) -> None:
    expected = list(splitter.split(data.x, data.y, data.groups))
    assert len(folds) == len(expected)
    for fold, (train, validation) in zip(folds, expected, strict=True):
        np.testing.assert_array_equal(fold.train, train)
        np.testing.assert_array_equal(fold.validation, validation)
        assert fold.train.dtype == fold.validation.dtype == np.int32


@pytest.mark.parametrize("data", [CLASSES, VALUES, LABELS])
@pytest.mark.parametrize("k", [2, 5])
def test_auto_is_check_cv(data: Dataset, k: int) -> None:
    y = data.y if data.task != "regression" else data.y[:, 0]
    theirs = sk.check_cv(k, y, classifier=data.task != "regression")
    same(make_folds(data, FoldSpec(k=k)), theirs, data)


GIVEN = replace(VALUES, given_folds=RNG.integers(-1, 4, 60).astype(np.int32))


@pytest.mark.parametrize("data", [CLASSES, VALUES, LABELS])
@pytest.mark.parametrize("k", [2, 5, 59])
def test_time_is_time_series_split(data: Dataset, k: int) -> None:
    same(make_folds(data, FoldSpec(kind="time", k=k)), sk.TimeSeriesSplit(k), data)


@pytest.mark.parametrize("kind", ["auto", "predefined"])
def test_given_folds_are_predefined_split(kind: Any) -> None:
    folds = make_folds(GIVEN, FoldSpec(kind=kind))
    same(folds, sk.PredefinedSplit(GIVEN.given_folds), GIVEN)
    assert len(folds) == 4


@pytest.mark.parametrize(
    ("data", "spec", "message"),
    [
        (VALUES, FoldSpec(kind="time", k=60), "as many rows after the first as folds; .* 59 rows"),
        (GROUPED, FoldSpec(kind="time"), "time would tear the groups"),
        (VALUES, FoldSpec(kind="predefined"), "Name it by --fold-column"),
        (GIVEN, FoldSpec(kind="kfold"), "received the kind kfold. Available: auto, predefined"),
        (replace(GIVEN, given_folds=np.full(60, -1, np.int32)), FoldSpec(), "one value only"),
        (replace(GIVEN, given_folds=np.zeros(60, np.int32)), FoldSpec(), "one value only"),
    ],
)
def test_folds_that_rows_cannot_have_are_refused(
    data: Dataset, spec: FoldSpec, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        make_folds(data, spec)


def test_auto_on_digits_is_what_grid_search_splits() -> None:
    digits = load_dataset("sklearn:digits")
    same(make_folds(digits, FoldSpec()), sk.check_cv(5, digits.y, classifier=True), digits)


@pytest.mark.parametrize(
    ("data", "spec", "theirs"),
    [
        (GROUPED, FoldSpec(), sk.GroupKFold(5)),
        (GROUPED_VALUES, FoldSpec(), sk.GroupKFold(5)),
        (GROUPED, FoldSpec(kind="group", k=4), sk.GroupKFold(4)),
        (
            GROUPED,
            FoldSpec(kind="group", k=4, shuffle=True, seed=3),
            sk.GroupKFold(4, shuffle=True, random_state=3),
        ),
        (CLASSES, FoldSpec(kind="kfold", k=3), sk.KFold(3)),
        (
            CLASSES,
            FoldSpec(kind="kfold", shuffle=True, seed=7),
            sk.KFold(5, shuffle=True, random_state=7),
        ),
        (CLASSES, FoldSpec(kind="stratified", k=4), sk.StratifiedKFold(4)),
        (
            CLASSES,
            FoldSpec(shuffle=True, seed=7),
            sk.StratifiedKFold(5, shuffle=True, random_state=7),
        ),
        (VALUES, FoldSpec(shuffle=True, seed=7), sk.KFold(5, shuffle=True, random_state=7)),
        (
            CLASSES,
            FoldSpec(kind="repeated", k=3, repeats=4, seed=1),
            sk.RepeatedStratifiedKFold(n_splits=3, n_repeats=4, random_state=1),
        ),
        (
            VALUES,
            FoldSpec(kind="repeated", k=3, repeats=2, seed=1),
            sk.RepeatedKFold(n_splits=3, n_repeats=2, random_state=1),
        ),
        (
            CLASSES,
            FoldSpec(kind="holdout", share=0.3, seed=2),
            sk.StratifiedShuffleSplit(1, test_size=0.3, random_state=2),
        ),
        (
            VALUES,
            FoldSpec(kind="holdout", seed=2),
            sk.ShuffleSplit(1, test_size=0.2, random_state=2),
        ),
        (
            GROUPED,
            FoldSpec(kind="holdout", seed=2),
            sk.GroupShuffleSplit(1, test_size=0.2, random_state=2),
        ),
    ],
)
def test_every_kind_is_scikit_learns_splitter(data: Dataset, spec: FoldSpec, theirs: Any) -> None:
    folds = make_folds(data, spec)
    same(folds, theirs, data)
    assert len(folds) == spec.count


def test_a_group_is_on_one_side_only() -> None:
    assert GROUPED.groups is not None
    for fold in make_folds(GROUPED, FoldSpec(k=6)):
        assert not set(GROUPED.groups[fold.train]) & set(GROUPED.groups[fold.validation])


def test_more_folds_than_rows_of_a_class_are_refused_with_what_is_possible() -> None:
    rare = dataset(np.array([0] * 20 + [1] * 3 + [2] * 4, dtype=np.int32), "multiclass")
    for kind in ("auto", "stratified", "repeated"):
        with pytest.raises(DataError) as caught:
            make_folds(rare, FoldSpec(kind=kind))
        assert "received 5 folds" in str(caught.value)
        assert "1: 3, 2: 4" in str(caught.value)
        assert "Possible: 2 to 3 folds" in str(caught.value)
    assert len(make_folds(rare, FoldSpec(k=3))) == 3
    assert len(make_folds(rare, FoldSpec(kind="kfold"))) == 5


@pytest.mark.parametrize(
    ("data", "spec", "message"),
    [
        (VALUES, FoldSpec(kind="stratified"), "stratified folds need classes"),
        (LABELS, FoldSpec(kind="stratified"), "Available: kfold, repeated, holdout"),
        (CLASSES, FoldSpec(kind="group"), "Name their column by --group"),
        (GROUPED, FoldSpec(kind="kfold"), "tear the groups"),
        (GROUPED, FoldSpec(kind="repeated"), "tear the groups"),
        (GROUPED, FoldSpec(k=13), "13 folds for 12 groups in own. Possible: 2 to 12"),
        (VALUES, FoldSpec(k=61), "61 folds for 60 rows"),
        (
            dataset(np.array([0, 0, 1], dtype=np.int32), "binary"),
            FoldSpec(k=2),
            "No number of folds is possible",
        ),
        (
            dataset(np.array([0, 0, 1], dtype=np.int32), "binary"),
            FoldSpec(kind="holdout"),
            "folds holdout of own are not possible",
        ),
    ],
)
def test_impossible_folds_are_refused(data: Dataset, spec: FoldSpec, message: str) -> None:
    with pytest.raises(DataError) as caught:
        make_folds(data, spec)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": 1},
        {"share": 0.0},
        {"share": 1.0},
        {"repeats": 1},
        {"kind": "leave_one_out"},
        {"folds": 5},
        {"seed": -1},
        {"kind": "holdout", "shuffle": True},
    ],
)
def test_a_spec_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FoldSpec(**wrong)


def test_a_spec_survives_json() -> None:
    spec = FoldSpec(kind="repeated", k=3, repeats=4, seed=9)
    assert FoldSpec.model_validate_json(spec.model_dump_json()) == spec
