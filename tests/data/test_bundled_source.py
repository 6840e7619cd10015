"""sklearn: URIs against scikit-learn's own loaders."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets

from tuner.data import load_dataset
from tuner.errors import DataError


def test_digits_are_bytes_that_scale_exactly_to_what_scikit_learn_has() -> None:
    own, theirs = load_dataset("sklearn:digits"), datasets.load_digits()
    assert own.x.dtype == np.uint8
    assert own.byte_scale == 1 / 16
    np.testing.assert_array_equal(own.x * np.float32(own.byte_scale), theirs.data / 16)
    np.testing.assert_array_equal(own.y, theirs.target)
    assert own.y.dtype == np.int32
    assert (own.task, own.outputs, own.image_shape) == ("multiclass", 10, (8, 8))
    assert own.classes == tuple(range(10))
    assert own.x_test is None


@pytest.mark.parametrize(
    ("name", "task", "outputs"),
    [("iris", "multiclass", 3), ("wine", "multiclass", 3), ("breast_cancer", "binary", 1)],
)
def test_classes_keep_scikit_learns_numbers_and_names(name: str, task: str, outputs: int) -> None:
    own, theirs = load_dataset(f"sklearn:{name}"), getattr(datasets, f"load_{name}")()
    np.testing.assert_array_equal(own.x, theirs.data.astype(np.float32))
    np.testing.assert_array_equal(own.y, theirs.target)
    assert own.classes == tuple(theirs.target_names)
    assert own.feature_names == tuple(theirs.feature_names)
    assert (own.task, own.outputs, own.x.dtype) == (task, outputs, np.float32)


def test_diabetes_is_a_regression_though_its_targets_are_whole_numbers() -> None:
    own, theirs = load_dataset("sklearn:diabetes"), datasets.load_diabetes()
    assert (own.task, own.classes, own.outputs) == ("regression", None, 1)
    assert own.y.shape == (442, 1)
    np.testing.assert_array_equal(own.y[:, 0], theirs.target.astype(np.float32))


def test_class_numbers_can_be_forced_to_be_values() -> None:
    own = load_dataset("sklearn:iris", task="regression")
    assert own.y.dtype == np.float32
    assert own.classes is None


@pytest.mark.parametrize(
    ("uri", "part"),
    [
        ("digits", "did you mean sklearn:digits?"),
        ("data/own.npz", "did you mean npz:data/own.npz?"),
        ("sklearn:digit", "did you mean digits?"),
        ("keros:mnist", "did you mean keras?"),
        ("", "SCHEME:WHAT"),
    ],
)
def test_a_misspelt_uri_is_answered_by_the_right_one(uri: str, part: str) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(uri)
    assert part in str(caught.value)


def test_columns_belong_to_tables() -> None:
    with pytest.raises(DataError, match="--target names a column of a table"):
        load_dataset("sklearn:iris", target="species")
    with pytest.raises(DataError, match="--group"):
        load_dataset("sklearn:iris", group="plant")
