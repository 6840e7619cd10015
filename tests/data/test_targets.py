"""Task inference and encoding, against scikit-learn's LabelEncoder and type_of_target."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import LabelBinarizer, LabelEncoder
from sklearn.utils.multiclass import type_of_target

from tuner.data.dataset import Task
from tuner.data.sources import RawData
from tuner.data.targets import EncodedTargets, encode_targets
from tuner.data.tasks import infer_task
from tuner.errors import DataError


def encode(y: object, y_test: object = None, task: Task | None = None) -> EncodedTargets:
    targets = np.asarray(y)
    tests = None if y_test is None else np.asarray(y_test)
    raw = RawData(targets, targets, x_test=tests, y_test=tests)
    return encode_targets(raw, "own", task)


@pytest.mark.parametrize(
    ("y", "task"),
    [
        ([0, 1] * 9, "binary"),
        ([-1.0, 1.0] * 9, "binary"),
        ([True, False] * 9, "binary"),
        (["a", "b"] * 9, "binary"),
        ([3, 5, 9] * 9, "multiclass"),
        ([0.0, 1.0, 2.0] * 9, "multiclass"),
        (["a", "b", "c"] * 9, "multiclass"),
        (list(range(100)) * 2, "regression"),
        (list(range(1, 27)) * 2, "regression"),
        ([0.5, 1.5] * 9, "regression"),
        (list(range(18, 91)) * 9, "regression"),
        (list(range(10)), "regression"),
        (np.linspace(0, 1, 50), "regression"),
        (np.eye(3)[[0, 1, 2] * 5], "multiclass"),
        (np.eye(2)[[0, 1] * 5], "binary"),
        ([[1, 1, 0], [0, 1, 0], [0, 0, 1]], "multilabel"),
        ([[1, 0], [0, 0], [0, 1]], "multilabel"),
        ([[0.1, 2], [3, 4], [5, 6]], "regression"),
    ],
)
def test_inference(y: object, task: str) -> None:
    assert infer_task(np.asarray(y)) == task


def test_inference_agrees_with_scikit_learn_where_it_decides() -> None:
    """type_of_target takes every whole number for a class; fractions are values to both."""
    rng = np.random.default_rng(0)
    for y in (rng.integers(0, 2, 50), rng.integers(0, 5, 50), rng.normal(size=50)):
        theirs = {"binary": "binary", "multiclass": "multiclass", "continuous": "regression"}
        assert infer_task(y) == theirs[type_of_target(y)]
    indicator = rng.integers(0, 2, (50, 3))
    assert type_of_target(indicator) == "multilabel-indicator"
    assert infer_task(indicator) == "multilabel"


@pytest.mark.parametrize(
    "labels", [["b", "a", "c"], [7, -2, 5], [1.0, 0.0], [True, False], ["ü", "z", "Z"]]
)
def test_classes_are_numbered_as_label_encoder_does(labels: list[object]) -> None:
    y = np.array(labels * 5)
    encoder = LabelEncoder().fit(y)
    own = encode(y, y[:4])
    np.testing.assert_array_equal(own.y, encoder.transform(y))
    np.testing.assert_array_equal(own.y_test, encoder.transform(y[:4]))
    assert own.classes == tuple(encoder.classes_.tolist())
    assert [type(label) for label in own.classes] == [type(label) for label in labels]
    assert own.y.dtype == np.int32


def test_one_hot_targets_are_the_classes_they_came_from() -> None:
    y = np.random.default_rng(0).integers(0, 4, 40)
    own = encode(LabelBinarizer().fit_transform(y))
    np.testing.assert_array_equal(own.y, y)
    assert own.classes == (0, 1, 2, 3)
    forced = encode(LabelBinarizer().fit_transform(y), task="multilabel")
    assert forced.task == "multilabel"
    assert forced.y.dtype == np.float32


def test_a_column_of_targets_is_a_row_of_targets() -> None:
    np.testing.assert_array_equal(encode(np.array([[0], [1], [1], [0]])).y, [0, 1, 1, 0])


def test_values_are_float32_columns() -> None:
    own = encode(np.array([0.1, 0.2, 0.3]), np.array([0.4]))
    np.testing.assert_array_equal(own.y, np.array([[0.1], [0.2], [0.3]], np.float32))
    assert own.y_test is not None
    assert own.y_test.shape == (1, 1)


def test_forcing() -> None:
    y = np.array([0, 1, 2] * 5)
    assert encode(y, task="regression").y.shape == (15, 1)
    assert encode(np.array([0, 1] * 5), task="multiclass").task == "multiclass"
    ages = np.array(list(range(18, 91)) * 9)
    assert encode(ages, task="multiclass").classes == tuple(range(18, 91))


@pytest.mark.parametrize(
    ("y", "task", "message"),
    [
        ([0, 1, 2] * 5, "binary", "exactly two classes; own has 3"),
        (["a", "b"] * 5, "regression", "needs numbers"),
        ([0, 1] * 5, "multilabel", "two or more target columns"),
        ([[0, 2], [1, 1]], "multilabel", "two or more target columns"),
        ([[1, 1], [0, 1]], "multiclass", "exactly one 1"),
        ([0, 1] * 5, "ranking", "unknown task 'ranking'"),
        (np.arange(3000) / 7, "multiclass", "at most 1000 classes"),
        ([5, 5, 5], None, "is 5 in all 3 rows"),
        ([0.25, 0.25], "regression", "at least two different"),
        ([[1, 0], [1, 0]], None, r"is \[1, 0\] in all"),
        ([1.0, np.inf, 2.0], None, "no target may be missing"),
        ([1e39, 1.5, 2.0], None, "float32"),
        (["a", "b", "c"], None, "3 different texts in 3 rows"),
        ([["a", "b"], ["c", "b"]], None, "several target columns must hold numbers"),
        (np.zeros((4, 2, 2)), None, r"shape \(4, 2, 2\)"),
        (np.array(["2024-01-01", "2025-01-01"], dtype="datetime64"), None, "are dates"),
        (np.array([1, "a", None], dtype=object), None, "NoneType, int, str"),
        ([1j, 2j], None, "complex"),
    ],
)
def test_what_cannot_be_a_target(y: object, task: Task | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        encode(y, task=task)


def test_objects_get_the_type_they_have_in_common() -> None:
    assert encode(np.array(["a", "b"] * 3, dtype=object)).classes == ("a", "b")
    assert encode(np.array([True, False] * 3, dtype=object)).classes == (False, True)
    assert encode(np.array([3, 4] * 3, dtype=object)).classes == (3, 4)
    assert encode(np.array([b"a", b"b"] * 3)).classes == ("a", "b")


def test_test_rows_bring_no_new_class_and_no_other_shape() -> None:
    with pytest.raises(DataError, match="has c in 2 test rows"):
        encode(["a", "b", "a", "b"], ["a", "c", "c"])
    with pytest.raises(DataError, match="shape of the others"):
        encode([0.5, 1.5, 1.0], [[1.0, 2.0]])
    with pytest.raises(DataError, match="one-hot"):
        encode(np.eye(3)[[0, 1, 2]], [[1, 1, 0]])
