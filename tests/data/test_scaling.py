"""Scaling against scikit-learn's scalers, fitted on the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from tuner.data import Dataset, fit_scaling, fit_target_scaling, load_dataset
from tuner.errors import DataError

ROWS = np.random.default_rng(0).permutation(150)[:90].astype(np.int32)
SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler}
Kind = Literal["standard", "minmax"]


def applied(dataset: Dataset, rows: np.ndarray, kind: Kind) -> np.ndarray:
    scaling = fit_scaling(dataset, rows, kind)
    assert scaling is not None
    assert scaling.scale.dtype == scaling.shift.dtype == np.float32
    return dataset.x * np.float32(dataset.byte_scale) * scaling.scale + scaling.shift


@pytest.mark.parametrize("kind", ["standard", "minmax"])
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_equals_scikit_learn_fitted_on_the_training_rows(name: str, kind: Kind) -> None:
    """Digits have constant columns (always 0), breast_cancer spans 7 orders of magnitude."""
    own = load_dataset(f"sklearn:{name}")
    theirs = SCALERS[kind]().fit(own.x[ROWS] * own.byte_scale)
    expected = theirs.transform(own.x * own.byte_scale)
    np.testing.assert_allclose(applied(own, ROWS, kind), expected, rtol=2e-5, atol=2e-5)


def test_only_the_given_rows_count() -> None:
    own = load_dataset("sklearn:wine")
    others = own.x.copy()
    others[np.setdiff1d(np.arange(own.rows), ROWS)] *= 1000
    first = fit_scaling(own, ROWS, "standard")
    second = fit_scaling(replace(own, x=others), ROWS, "standard")
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.scale, second.scale)
    np.testing.assert_array_equal(first.shift, second.shift)


def test_more_rows_than_a_piece_and_a_large_mean() -> None:
    x = np.random.default_rng(0).normal(loc=(1e4, 0), size=(20_000, 2)).astype(np.float32)
    own = replace(load_dataset("sklearn:iris"), x=x, feature_names=None)
    expected = StandardScaler().fit_transform(x.astype(np.float64))
    np.testing.assert_allclose(applied(own, np.arange(20_000), "standard"), expected, atol=2e-3)


def test_auto_leaves_images_of_0_to_1_alone_and_standardises_the_rest() -> None:
    digits, iris = load_dataset("sklearn:digits"), load_dataset("sklearn:iris")
    assert fit_scaling(digits, ROWS, "auto") is None
    assert fit_scaling(iris, ROWS, "none") is None
    auto, standard = fit_scaling(iris, ROWS, "auto"), fit_scaling(iris, ROWS, "standard")
    assert auto is not None
    assert standard is not None
    np.testing.assert_array_equal(auto.scale, standard.scale)
    centred = replace(digits, x=digits.x / np.float32(8) - 1, byte_scale=1.0)  # type: ignore[arg-type]
    assert fit_scaling(centred, ROWS, "auto") is not None
    fractions = replace(digits, x=digits.x / np.float32(16), byte_scale=1.0)  # type: ignore[arg-type]
    assert fit_scaling(fractions, ROWS, "auto") is None


def test_an_unknown_kind_is_refused() -> None:
    iris = load_dataset("sklearn:iris")
    said = (
        "unknown scaling 'min-max'; did you mean minmax[?] "
        "Available: auto, none, standard, minmax, robust"
    )
    with pytest.raises(DataError, match=said):
        fit_scaling(iris, ROWS, "min-max")  # type: ignore[arg-type]


def test_targets_of_a_regression() -> None:
    own = load_dataset("sklearn:diabetes")
    mean, std = fit_target_scaling(own, ROWS)
    theirs = StandardScaler().fit(own.y[ROWS].astype(np.float64))
    np.testing.assert_allclose(mean, theirs.mean_, rtol=1e-6)
    np.testing.assert_allclose(std, theirs.scale_, rtol=1e-6)
    assert mean.shape == std.shape == (1,)
    assert mean.dtype == std.dtype == np.float32
    two = replace(own, y=np.hstack([own.y, np.full_like(own.y, 3)]))  # type: ignore[arg-type]
    assert fit_target_scaling(two, ROWS)[1][1] == 1
    with pytest.raises(DataError, match="regression"):
        fit_target_scaling(load_dataset("sklearn:iris"), ROWS)
